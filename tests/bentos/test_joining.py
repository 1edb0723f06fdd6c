"""The head of an answer goes with its body."""

import asyncio

import pytest

from bentos.joining import JoiningTransport

HEAD, BODY = b"HTTP/1.1 200 OK\r\n\r\n", b"body"


class Recording:
    """A transport that keeps what reaches it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> str:
        return f"its {name}"


def sent(*writes: bytes | None, close: bool = False) -> list[bytes]:
    """What reaches the transport; `None` lets the event loop turn."""

    async def run() -> list[bytes]:
        inner = Recording()
        outer = JoiningTransport(inner, asyncio.get_running_loop())
        for data in writes:
            if data is None:
                await asyncio.sleep(0)
            else:
                outer.write(data)
        if close:
            outer.close()
            assert outer.is_closing()
        else:
            await asyncio.sleep(0)
        return inner.sent

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("writes", "found"),
    [
        ((HEAD, BODY), [HEAD + BODY]),
        ((HEAD, BODY, BODY), [HEAD + BODY, BODY]),
        ((HEAD, None, BODY), [HEAD, BODY]),
        ((HEAD, BODY, HEAD, BODY), [HEAD + BODY, HEAD + BODY]),
        ((HEAD,), [HEAD]),
        ((BODY, HEAD), [BODY, HEAD]),
        ((HEAD, HEAD), [HEAD + HEAD]),
    ],
)
def test_a_head_waits_for_its_body_and_for_nothing_else(writes, found):
    assert sent(*writes) == found


@pytest.mark.parametrize("writes", [(HEAD,), (HEAD, BODY), ()])
def test_nothing_is_held_back_when_the_connection_closes(writes):
    assert b"".join(sent(*writes, close=True)) == b"".join(writes)


def test_all_else_is_the_transports_own():
    async def run() -> str:
        return JoiningTransport(Recording(), asyncio.get_running_loop()).get_extra_info("peername")

    assert asyncio.run(run()) == "its peername"
