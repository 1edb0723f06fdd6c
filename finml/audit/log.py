"""Appending to the audit log: one file a process and day, one write a request."""

import fcntl
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import structlog

from finml.audit.chain import RESERVED, Chain
from finml.audit.index import Index
from finml.audit.secret import audit_folder, audit_secret
from finml.errors import AuditError
from finml.settings import Settings

log = structlog.get_logger(__name__)

DAY_S = 86_400
FSYNC_S = 1.0
# How often a growing file is entered in the index: what is cut from its end later than that shows.
REACHED_S = 60.0


class AuditLog:
    """The audit log of one process.

    A decision that `append` returned for is in the kernel's hands, and survives the end of the process; it is
    on the disk about a second later at most, and may be lost if the machine loses power before.
    """

    def __init__(
        self, folder: Path, secret: bytes, *, name: str, clock: Callable[[], float] = time.time
    ) -> None:
        """Take a folder, which all processes of a service share. Creates nothing before the first decision.

        Args:
            folder: where the files are.
            secret: what the lines are chained with.
            name: of the process, for the names of files.
            clock: seconds since 1970.
        """
        self._folder, self._secret, self._clock = folder, secret, clock
        self._name = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        self._index = Index(folder, secret)
        self._lock = threading.Lock()
        self._file: _File | None = None
        self._failure = ""
        self._stop = threading.Event()
        self._flusher: threading.Thread | None = None

    @classmethod
    def of(cls, settings: Settings, *, name: str = "serve") -> Self:
        """The audit log below home.

        Raises:
            AuditError: the secret can be neither read nor made.
            SettingsError: the secret is too short to be one.
        """
        return cls(audit_folder(settings), audit_secret(settings), name=name)

    def append(self, decisions: Sequence[Mapping[str, Any]]) -> None:
        """Enter decisions, all of them or none.

        Args:
            decisions: JSON objects without the names `seq`, `time`, `kind`, `prev` and `mac`.

        Raises:
            AuditError: they cannot be entered, as on a full disk. Nothing was decided then.
            ValueError: a decision has a reserved name or is no JSON.
        """
        if not decisions:
            return
        for decision in decisions:
            if not decision or not RESERVED.isdisjoint(decision):
                raise ValueError(f"a decision must say something, and not by the names {sorted(RESERVED)}")
        now = self._clock()
        with self._lock:
            if self._failure:
                failure, self._failure = self._failure, ""
                self._let_go()
                raise AuditError(failure, hint="check the disk that holds the audit log")
            file = self._file_of(now)
            try:
                file.append([*decisions], now)
            except AuditError:
                if file.torn:
                    self._let_go()
                raise

    def close(self) -> None:
        """Seal the file and end. Another decision opens another file."""
        self._stop.set()
        if self._flusher and self._flusher is not threading.current_thread():
            self._flusher.join()
        with self._lock:
            self._flusher = None
            self._seal(self._clock())

    def _file_of(self, now: float) -> "_File":
        file = self._file
        if file is not None and file.day == now // DAY_S and file.pid == os.getpid():
            return file
        if file is not None and file.pid == os.getpid():
            self._seal(now)
        elif file is not None:
            self._let_go()  # it belongs to the process that this one was forked from
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._index.enter_abandoned(now)
            file = _File(self._folder, self._secret, self._name, now)
        except OSError as error:
            raise unwritable(self._folder, error) from error
        try:
            self._index.enter("opened", file.path.name, file.chain.seq, file.chain.head, now)
        except AuditError:
            file.path.unlink()
            file.close()
            raise
        self._file = file
        self._begin_flushing()
        return file

    def _seal(self, now: float) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.append([{"kind": "sealed"}], now)
            os.fsync(file.descriptor)
            self._index.enter("sealed", file.path.name, file.chain.seq, file.chain.head, now)
        except (AuditError, OSError) as error:
            # every decision in it is written; the next process enters where it ends
            log.error("audit_file_not_sealed", file=str(file.path), message=str(error))
        finally:
            file.close()

    def _let_go(self) -> None:
        """Go on in another file, since what the disk has of this one is not known."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin_flushing(self) -> None:
        if self._flusher is None or not self._flusher.is_alive():
            self._stop = threading.Event()
            self._flusher = threading.Thread(
                target=self._flush, args=(self._stop,), name="audit-fsync", daemon=True
            )
            self._flusher.start()

    def _flush(self, stop: threading.Event) -> None:
        """Bring what was written to the disk, and its reach to the index, until stopped."""
        while not stop.wait(FSYNC_S):
            try:
                self._reach_the_disk()
            except (OSError, AuditError) as error:
                self._failure = f"the audit log cannot be brought to the disk: {error}"
                log.error("audit_log_unsafe", folder=str(self._folder), message=str(error))

    def _reach_the_disk(self) -> None:
        with self._lock:
            file = self._file
            if file is None or file.chain.seq == file.synced:
                return
            # fails where the process has too many open files
            descriptor = os.dup(file.descriptor)
            seq, head, now = file.chain.seq, file.chain.head, self._clock()
        try:
            os.fsync(descriptor)
            file.synced = seq
            if now - file.entered >= REACHED_S:
                file.entered = now
                self._index.enter("reached", file.path.name, seq, head, now)
        finally:
            os.close(descriptor)


class _File:
    """One open file, locked for as long as its process lives."""

    def __init__(self, folder: Path, secret: bytes, name: str, now: float) -> None:
        self.day, self.pid = now // DAY_S, os.getpid()
        date = datetime.fromtimestamp(now, UTC).date()
        self.path = folder / f"{date}-{name}-{self.pid}-{secrets.token_hex(4)}.jsonl"
        self.chain = Chain(secret, self.path.name)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self.descriptor = os.open(self.path, flags, 0o600)
        self.torn = False
        self._size = 0
        self.synced, self.entered = 0, now
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        try:
            self.append([{"kind": "opened", "pid": self.pid}], now)
        except AuditError:
            self.path.unlink()
            self.close()
            raise

    def append(self, entries: list[Mapping[str, Any]], now: float) -> None:
        """Write entries, or nothing and raise `AuditError`."""
        data, seq, head = self.chain.lines(entries, now)
        try:
            written = os.write(self.descriptor, data)
            if written != len(data):
                raise OSError("no space left")
        except OSError as error:
            # a part of a line, or of a request's lines, must not stay; where it cannot be cut off, nothing
            # may follow it in this file
            try:
                os.ftruncate(self.descriptor, self._size)
            except OSError:
                self.torn = True
            raise unwritable(self.path, error) from error
        self._size += written
        self.chain.commit(seq, head)

    def close(self) -> None:
        """Let another process see that nobody writes here any more."""
        os.close(self.descriptor)


def unwritable(path: Path, error: OSError) -> AuditError:
    """What to say where the log cannot be written."""
    return AuditError(
        f"the audit log {path} cannot be written: {error.strerror or error}",
        hint="free space on its disk, or check the folder's permissions; nothing is decided until then",
    )
