"""Lines that are chained by a keyed hash: none can be changed, removed, moved or added without the secret.

A line is a JSON object that ends in `"prev":"<hex>","mac":"<hex>"}`. `mac` is the HMAC-SHA256 of the line's
bytes up to it, `prev` the `mac` of the line before. The first line's `prev` is made from the file's name, so
that a file cannot take the place of another.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

RESERVED = frozenset({"seq", "time", "kind", "prev", "mac"})
MAC_LENGTH = 64
TAIL = len(',"mac":""}') + MAC_LENGTH


class Chain:
    """Makes the lines of one file.

    Attributes:
        seq: number of the next line, from 0.
        head: `mac` of the last line.
    """

    def __init__(self, secret: bytes, name: str, *, seq: int = 0, head: str = "") -> None:
        """Begin the chain of the file `name`, or go on after its line `seq` - 1, whose `mac` is `head`."""
        # keyed once: a copy of it is taken for each line
        self._keyed = hmac.new(secret, digestmod="sha256")
        self.seq = seq
        self.head = head or first_link(secret, name)

    def lines(self, entries: list[Mapping[str, Any]], now: float) -> tuple[bytes, int, str]:
        """The lines of `entries`, and `seq` and `head` after them. Changes nothing: see `commit`."""
        seq, head = self.seq, self.head
        time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").encode()
        lines = []
        for entry in entries:
            said = _json(entry)[1:-1]
            body = b'{"seq":%d,"time":"%s",%s,"prev":"%s"' % (seq, time, said, head.encode())
            keyed = self._keyed.copy()
            keyed.update(body)
            head = keyed.hexdigest()
            lines.append(b'%s,"mac":"%s"}\n' % (body, head.encode()))
            seq += 1
        return b"".join(lines), seq, head

    def commit(self, seq: int, head: str) -> None:
        """Take what `lines` made as written."""
        self.seq, self.head = seq, head


def _json(entry: Mapping[str, Any]) -> bytes:
    """An entry as JSON. Raises `ValueError` where it holds what JSON cannot say."""
    said = to_json(entry, inf_nan_mode="constants")
    if b"NaN" in said or b"Infinity" in said:
        # in a text, or as a number that is none: the standard library's encoder refuses that
        json.dumps(entry, allow_nan=False)
    return said


def first_link(secret: bytes, name: str) -> str:
    """What stands before the first line of the file `name`."""
    return hmac.digest(secret, b"finml audit " + name.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file as it was read.

    Attributes:
        number: place in the file, from 1.
        fields: what it says; empty where it is no line of a chain.
        genuine: whether it was made with the secret.
        whole: false for a last line without an end, as a crash leaves it.
    """

    number: int
    fields: Mapping[str, Any]
    genuine: bool
    whole: bool


def read_lines(secret: bytes, lines: Iterator[bytes]) -> Iterator[Line]:
    """Each line of a file, checked by itself; whether they follow each other is for the caller to see."""
    for number, raw in enumerate(lines, start=1):
        whole = raw.endswith(b"\n")
        fields, genuine = read_line(secret, raw[:-1] if whole else raw)
        yield Line(number, fields, genuine and whole, whole)


def read_line(secret: bytes, raw: bytes) -> tuple[Mapping[str, Any], bool]:
    """What a line without its end says, and whether it was made with the secret."""
    try:
        fields = json.loads(raw)
    except ValueError:
        return {}, False
    if not isinstance(fields, dict) or not isinstance(fields.get("seq"), int):
        return {}, False
    mac = hmac.digest(secret, raw[:-TAIL], "sha256").hex()
    return fields, hmac.compare_digest(raw[-TAIL:], f',"mac":"{mac}"}}'.encode())
