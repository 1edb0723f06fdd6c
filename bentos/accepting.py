"""An event loop whose servers leave nobody at the door when they close.

The kernel completes connections before a server accepts them. When the listening socket closes, those that
wait are reset, though their callers have been told that they are connected and may have sent their requests.
Here all that wait are taken before the door is shut. Their protocol must wait for a request when it is shut
down, as `bentos.protocol` does: uvicorn's own closes a connection whose request it has not read yet.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvloop


class AcceptingLoop(uvloop.Loop):
    """uvloop, with servers on sockets of ours that accept what waits when they are closed."""

    async def create_server(self, protocol_factory: Callable[[], Any], *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as in the class above
        """As `asyncio.AbstractEventLoop.create_server`."""
        server = await super().create_server(protocol_factory, *args, **options)
        listener: socket.socket | None = options.get("sock")
        return _Finishing(server, listener, protocol_factory, self) if listener is not None else server


class _Finishing:
    """A server that takes every waiting connection before it closes."""

    def __init__(
        self,
        server: asyncio.AbstractServer,
        listener: socket.socket,
        factory: Callable[[], Any],
        loop: uvloop.Loop,
    ) -> None:
        self._server, self._listener = server, listener
        self._factory, self._loop = factory, loop

    def close(self) -> None:
        """Take what waits, then close."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                # nobody waits any more
                break
            self._loop.create_task(self._serve_last(connection))
        self._server.close()

    async def _serve_last(self, connection: socket.socket) -> None:
        """Have a connection served by a protocol that knows that the server stops."""
        _, protocol = await self._loop.connect_accepted_socket(self._factory, connection)
        protocol.shutdown()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # the server's own
        return getattr(self._server, name)
