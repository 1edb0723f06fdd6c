"""The ids that a request goes by in answers and logs: its own, its caller's, and that of its trace.

Outcomes, predictions and decisions are joined by the request's own id. So it is always made here and is never
the caller's, who could use one twice or name another's; and nobody guesses it: 128 random bits.
"""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from bentos.asgi import Header

ANSWER_HEADER = b"x-request-id"
CORRELATION_HEADER = b"x-correlation-id"
HARMLESS = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# W3C Trace Context: version, trace, parent, flags; versions after 00 may say more behind them
TRACE = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
ID_LENGTH = 32
BLOCK = 256

_made: list[str] = []
# a process that is forked must not go on with the ids of the one that it came from
os.register_at_fork(after_in_child=_made.clear)


def new_id() -> str:
    """An id of a request: 32 hexadecimal digits, random. Asks the system for many at once: 0.1 µs each."""
    try:
        return _made.pop()
    except IndexError:
        digits = os.urandom(BLOCK * ID_LENGTH // 2).hex()
        first, *rest = (digits[at : at + ID_LENGTH] for at in range(0, len(digits), ID_LENGTH))
        _made.extend(rest)
        return first


class Ids(NamedTuple):
    """What one request is called.

    Attributes:
        request: its own id.
        correlation: what its caller calls it, for the caller's own search; empty where that says nothing.
        trace: id of the distributed trace that it is a part of; empty where it is of none.
    """

    request: str
    correlation: str = ""
    trace: str = ""

    @classmethod
    def of(cls, headers: Mapping[bytes, bytes]) -> "Ids":
        """A new id, and what the headers of the request say; what they say in no known form is left out."""
        given = headers.get(CORRELATION_HEADER) or headers.get(ANSWER_HEADER)
        parent = headers.get(b"traceparent")
        if given is None and parent is None:
            return cls(new_id())
        return cls(new_id(), correlation_of(given or b""), trace_of(parent or b""))

    @property
    def headers(self) -> tuple[Header, ...]:
        """What the answer says of them."""
        own = (ANSWER_HEADER, self.request.encode())
        return (own, (CORRELATION_HEADER, self.correlation.encode())) if self.correlation else (own,)

    @property
    def fields(self) -> dict[str, str]:
        """What a line of a log says of them."""
        more = {"correlation_id": self.correlation, "trace_id": self.trace}
        return {"request_id": self.request} | {name: value for name, value in more.items() if value}


def correlation_of(given: bytes) -> str:
    """A caller's own id, where it is harmless in a log."""
    return given.decode() if HARMLESS.fullmatch(given) else ""


def trace_of(parent: bytes) -> str:
    """The trace id of a `traceparent`; empty where it breaks the standard."""
    found = TRACE.fullmatch(parent)
    if found is None or (found[1] == b"00" and found[3] is not None):
        return ""
    return found[2].decode()
