"""A TCP proxy for tests that makes a healthy server slow, silent or gone."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Fault = Literal["none", "stall", "dribble", "reset"]
DRIBBLE_S = 0.05


class FaultyProxy:
    """Forwards connections to a server of the loopback, with a fault that can be changed at any time.

    `stall` keeps connections open and passes on no answer, `dribble` passes answers on byte by byte, twenty
    a second, and `reset` ends every connection, new ones too.

    Attributes:
        port: where it listens.
        asked: how many bytes have come from clients since it started.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.asked = 0
        self._fault: Fault = "none"
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, fault: Fault) -> None:
        with self._changed:
            self._fault = fault
            self._changed.notify_all()
            if fault == "reset":
                for one in list(self._open):
                    with suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.set("reset")
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._fault == "reset":
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self._target)) as server,
            selectors.DefaultSelector() as ready,
        ):
            self._open |= {client, server}
            try:
                ready.register(client, selectors.EVENT_READ)
                ready.register(server, selectors.EVENT_READ)
                while True:
                    for key, _ in ready.select():
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        if key.fileobj is client:
                            self.asked += len(data)
                            server.sendall(data)
                        elif not self._answer(client, data):
                            return
            finally:
                self._open -= {client, server}

    def _answer(self, client: socket.socket, data: bytes) -> bool:
        """Pass an answer on, as the fault has it; false where the connection is to end."""
        while data:
            with self._changed:
                if self._fault == "stall":
                    self._changed.wait_for(lambda: self._fault != "stall")
                if self._fault == "dribble":
                    self._changed.wait_for(lambda: self._fault != "dribble", timeout=DRIBBLE_S)
                if self._fault == "reset":
                    return False
                size = 1 if self._fault == "dribble" else len(data)
            client.sendall(data[:size])
            data = data[size:]
        return True


@contextmanager
def faulty_proxy(target: int) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
