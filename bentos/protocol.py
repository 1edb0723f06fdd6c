"""HTTP as a worker speaks it: uvicorn's, with limits on what a caller may leave unfinished."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bentos.ids import new_id
from bentos.joining import JoiningTransport
from bentos.problems import Refusal, problem

HEADERS_WITHIN_S = 10.0
# the same when the server stops: the caller of an idle connection may just be sending one
LAST_HEAD_WITHIN_S = 1.0
# for a caller that is sent more than it reads
READ_WITHIN_S = 30.0
MOST_HEADER_BYTES = 32 << 10


class PatientProtocol(HttpToolsProtocol):
    """HTTP with limits on a request's head, its time and size, and on how long answers may be left unread.

    uvicorn waits for ever for both, so that a few hundred idle connections would hold a server. And when it
    stops, it closes idle connections at once, so that a request that has arrived on one, or is about to, is
    lost.
    """

    stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(JoiningTransport(transport, self.loop))  # type: ignore[arg-type]
        self.head_bytes, self.in_head, self.in_body = 0, True, False
        self.unread_timer: asyncio.TimerHandle | None = None
        self.head_timer: asyncio.TimerHandle | None = self.loop.call_later(HEADERS_WITHIN_S, self.hang_up)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has become too long."""
        if self.head_timer is None and (self.cycle is None or self.cycle.response_complete):
            # the first bytes of the next request on this connection, or the rest of an answered one's body
            self.head_bytes, self.in_head = 0, True
        if self.in_head and not self.in_body:
            self.head_bytes += len(data)
        super().data_received(data)
        # nearly every head comes in one piece, and needs no clock
        if self.in_head:
            if self.head_timer is None:
                self.head_timer = self.loop.call_later(HEADERS_WITHIN_S, self.hang_up)
            if self.head_bytes > MOST_HEADER_BYTES:
                self.hang_up()

    def on_headers_complete(self) -> None:
        """The head is there: stop the clock."""
        self.in_head = False
        self.stop_clock()
        if self.head_bytes > MOST_HEADER_BYTES and self.head_length() > MOST_HEADER_BYTES:
            # all of it came at once; uvicorn answers 400 and closes
            raise ValueError("the request's head is too long")
        self.in_body = True
        super().on_headers_complete()
        if self.stopping and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The body is there, whether it was read or not."""
        self.in_body = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Start the clock of a caller that leaves its answers unread."""
        self.unread_timer = self.loop.call_later(READ_WITHIN_S, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """The caller reads on."""
        if self.unread_timer:
            self.unread_timer.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the form of every other refusal."""
        given = new_id()
        body = problem(Refusal(400, detail=msg), given)
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nx-request-id: {given}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: stop the clocks."""
        self.stop_clock()
        if self.unread_timer:
            self.unread_timer.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: answer what is under way, or one more request that is."""
        self.stopping = True
        if self.cycle is None or self.cycle.response_complete:
            if not self.in_head and not self.in_body:
                self.head_bytes, self.in_head = 0, True
            self.stop_clock()
            self.head_timer = self.loop.call_later(LAST_HEAD_WITHIN_S, self.hang_up)
        else:
            super().shutdown()

    def head_length(self) -> int:
        """Bytes of the present head, but for what stands between its parts."""
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def stop_clock(self) -> None:
        """Forget the limit until the next request."""
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def hang_up(self) -> None:
        """Close the connection."""
        self.stop_clock()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
