"""The list of all files of an audit log, itself a chain, so that the loss of a file or of its end shows.

Each file is entered when it is opened, about once a minute while it grows, and when it is sealed. A file
whose process died is entered by the next process that opens one, with the end that it was found to have.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from finml.audit.chain import Chain, read_line, read_lines
from finml.errors import AuditError

INDEX = "index.jsonl"
Kind = Literal["opened", "reached", "sealed", "abandoned"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the index says of a file: how it stands, and up to which line it is known."""

    kind: str
    lines: int
    head: str


class Index:
    """The index of a folder. Every method takes a lock between processes for a moment."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        """Name the folder; creates nothing."""
        self._path, self._secret = folder / INDEX, secret

    def enter(self, kind: Kind, file: str, lines: int, head: str, now: float) -> None:
        """Add one entry, safely on the disk when this returns.

        Raises:
            AuditError: it cannot be written.
        """
        with self._locked() as descriptor:
            self._append(descriptor, {"kind": kind, "file": file, "lines": lines, "head": head}, now)

    def enter_abandoned(self, now: float) -> None:
        """Enter each file that was neither sealed nor is held by a living process, as it is found.

        Raises:
            AuditError: the index cannot be written.
        """
        with self._locked() as descriptor:
            for file, known in self.known().items():
                if known.kind in ("sealed", "abandoned"):
                    continue
                path = self._path.with_name(file)
                if path.exists() and not is_held(path):
                    lines, head = last_line(path, self._secret)
                    # what is missing is for `verify` to say; it must not be entered as the end
                    if lines >= known.lines:
                        end = {"kind": "abandoned", "file": file, "lines": lines, "head": head}
                        self._append(descriptor, end, now)

    def known(self) -> dict[str, Known]:
        """What each file is known by, in the order of opening; entries that are not genuine do not count."""
        if not self._path.exists():
            return {}
        files: dict[str, Known] = {}
        with self._path.open("rb") as lines:
            for line in read_lines(self._secret, iter(lines)):
                if line.genuine:
                    said = line.fields
                    files[said["file"]] = Known(said["kind"], said["lines"], said["head"])
        return files

    def _append(self, descriptor: int, entry: Mapping[str, Any], now: float) -> None:
        count, last = last_line(self._path, self._secret)
        chain = Chain(self._secret, INDEX, seq=count, head=last)
        data, _, _ = chain.lines([entry], now)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # what a crash left of a line stays, by itself
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, size)
            raise OSError("no space left")
        os.fsync(descriptor)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise AuditError(
                f"the audit log's index {self._path} cannot be written: {error.strerror or error}",
                hint="check the disk and the folder's permissions",
            ) from error


def last_line(path: Path, secret: bytes) -> tuple[int, str]:
    """How many lines a file has up to its last genuine one, and that line's `mac`; without one 0 and ''."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        rest, place = b"", size
        while place:
            step = min(place, 65536)
            place -= step
            file.seek(place)
            rest = file.read(step) + rest
            lines = rest.split(b"\n")
            # the first may have begun before, the last has no end
            for raw in reversed(lines[0 if place == 0 else 1 : -1]):
                fields, genuine = read_line(secret, raw)
                if genuine:
                    return fields["seq"] + 1, fields["mac"]
    return 0, ""


def is_held(path: Path) -> bool:
    """Whether a living process writes a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
