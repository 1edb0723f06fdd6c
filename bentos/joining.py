"""A transport that sends the head of an answer with its body, where uvicorn writes one after the other."""

import asyncio
from typing import Any

HEAD = b"HTTP/1.1 "


class JoiningTransport:
    """Holds the head of an answer until the body's first bytes, at most for one turn of the event loop.

    uvloop sends what is written at once. Two system calls an answer are a tenth of a quick request's time,
    and wake its caller twice.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Wrap a transport."""
        self._transport, self._loop = transport, loop
        self._head = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write in the order of the calls."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data.startswith(HEAD):
            self._head = data
            self._loop.call_soon(self._send_head)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what is held, then close."""
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # the transport's own
        return getattr(self._transport, name)
