"""Reads a request's body within limits, and hands it on."""

from bentos.asgi import Message, Receive


class ClientGoneError(Exception):
    """The caller hung up before the request was complete, or before its answer."""


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or `None` when it is longer than `limit` bytes.

    Raises:
        ClientGoneError: the caller hung up before the end.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        # nearly every body comes in one piece
        whole: bytes = message.get("body", b"")
        return whole if len(whole) <= limit else None
    body = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out a body that was read already, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
