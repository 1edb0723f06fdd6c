"""The keys that a serving process takes: in memory, and read again when their file changes."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from math import inf

import structlog

from finml.access.caller import Caller, Limits
from finml.access.key_store import check_mark, find_secret, read_keys, secret_is_gone
from finml.access.keys import ID_PLACE, LENGTH, Hasher, KeyRecord
from finml.access.scopes import Scopes
from finml.errors import FinmlError
from finml.settings import Settings

log = structlog.get_logger(__name__)

FileState = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key: the hashes that are taken, until when (seconds of the epoch), and the caller it stands for."""

    digest: bytes
    until: float
    previous: bytes
    previous_until: float
    caller: Caller


@dataclass(frozen=True, slots=True)
class _Ring:
    """All keys of one reading of the file. Replaced as a whole, so that no request sees half a change."""

    hasher: Hasher
    entries: dict[bytes, _Entry]


class Keyring:
    """Looks keys up.

    Args:
        settings: name the file and the secret, and the limits of keys that have none of their own.
        now: seconds of the epoch.
    """

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self._settings, self._now = settings, now
        self._limits = Limits.default(settings)
        # what an unknown id is compared with, so that it takes as long as a known one
        nobody = Caller("", Scopes(), self._limits)
        self._nobody = _Entry(secrets.token_bytes(32), 0.0, secrets.token_bytes(32), 0.0, nobody)
        self._ring = _Ring(Hasher(secrets.token_bytes(32)), {})
        self._state: FileState = None
        self._failed: FileState | str = ""

    def __len__(self) -> int:
        """How many keys there are, revoked and expired ones included."""
        return len(self._ring.entries)

    def find(self, presented: bytes) -> Caller | None:
        """Whose key this is, or `None` where it is none that is taken now."""
        ring, now = self._ring, self._now()
        # what is longer than a key cannot be one, and is not worth hashing
        digest = ring.hasher.digest(presented[: LENGTH + 1])
        entry = ring.entries.get(presented[ID_PLACE], self._nobody)
        current = compare_digest(digest, entry.digest)
        previous = compare_digest(digest, entry.previous)
        if (current or (previous and now < entry.previous_until)) and now < entry.until:
            return entry.caller
        return None

    def load(self) -> None:
        """Read the file, if it has changed since it was last read well.

        Raises:
            AccessError: it or the secret of its keys is broken or cannot be read; the keys read before stay.
            SettingsError: its keys were hashed with another secret.
        """
        state = self._look()
        if state == self._state:
            return
        file = read_keys(self._settings.keys)
        if file is None:
            return
        secret = find_secret(self._settings)
        if secret is None:
            # said, not passed over: a key that was revoked meanwhile would be taken on and on
            raise secret_is_gone(self._settings)
        hasher = Hasher(secret)
        check_mark(file, hasher)
        self._ring = _Ring(hasher, {record.id.encode(): self._entry(record) for record in file.keys})
        self._state = state

    def refresh(self) -> None:
        """`load` for a process that serves: what is wrong is logged, once a state of the file."""
        try:
            state = self._look()
            if state is None and self._state is not None:
                self._complain(state, "the key file is gone", "")
                return
            self.load()
            self._failed = ""
        except FinmlError as error:
            self._complain(self._look(), str(error), error.hint)
        except OSError as error:
            self._complain(str(error), f"the key file cannot be read: {error.strerror}", "")

    def _complain(self, state: FileState | str, message: str, hint: str) -> None:
        if state != self._failed:
            self._failed = state
            log.error("keys_not_read", message=message, hint=hint, keeping=len(self))

    def _look(self) -> FileState:
        """What changes whenever the file does."""
        try:
            found = self._settings.keys.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _entry(self, record: KeyRecord) -> _Entry:
        ends = [moment.timestamp() for moment in (record.expires, record.revoked) if moment]
        previous = bytes.fromhex(record.previous_hash) if record.previous_hash else self._nobody.previous
        previous_until = record.previous_until.timestamp() if record.previous_until else -inf
        default = self._limits
        limits = Limits(
            record.rate_per_s or default.rate_per_s,
            record.rate_burst or default.burst,
            record.daily_quota or default.daily_quota,
        )
        caller = Caller(record.id, Scopes.of(record.scopes), limits)
        # a revoked key is never taken, whatever the clock of the machine that revoked it says
        until = -inf if record.revoked else min(ends, default=inf)
        return _Entry(bytes.fromhex(record.hash), until, previous, previous_until, caller)
