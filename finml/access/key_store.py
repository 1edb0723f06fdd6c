"""Creating, listing, revoking and rotating the keys of a key file."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from finml.access.keys import Hasher, KeyFile, KeyRecord, NewKey, new_id, new_key
from finml.access.scopes import Scopes
from finml.errors import AccessError, SettingsError, UsageError
from finml.private_files import write_private
from finml.settings import Settings

LOCK_TIMEOUT_S = 10
LEAST_SECRET = 16


def secret_file(settings: Settings) -> Path:
    """Where the secret lies that keys are hashed with, unless a setting gives it."""
    return settings.home / "access" / "keys.secret"


def find_secret(settings: Settings) -> bytes | None:
    """The secret that keys are hashed with, or `None` where there is none yet.

    Raises:
        SettingsError: the one in the settings is too short to be one.
        AccessError: its file cannot be read.
    """
    if given := settings.given_secret("keys_secret", least=LEAST_SECRET):
        return given
    try:
        return secret_file(settings).read_bytes().strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AccessError(
            f"the secret of the keys cannot be read: {error.strerror}", hint=f"see {secret_file(settings)}"
        ) from None


def read_keys(path: Path) -> KeyFile | None:
    """The key file, or `None` where there is none.

    Raises:
        AccessError: it cannot be read or is no key file.
    """
    try:
        return KeyFile.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AccessError(f"the key file cannot be read: {error.strerror}", hint=f"see {path}") from None


def secret_is_gone(settings: Settings) -> AccessError:
    """What to say where there is a key file, but not the secret that its keys were hashed with."""
    return AccessError(
        "the secret that the keys were hashed with is gone",
        hint=f"restore {secret_file(settings)} or FINML_KEYS_SECRET, or make the keys anew",
    )


def check_mark(file: KeyFile, hasher: Hasher) -> None:
    """Check that the keys of a file were hashed with the secret at hand.

    Raises:
        SettingsError: they were not, so none of them would be taken.
    """
    if file.secret_mark != hasher.mark:
        raise SettingsError(
            "the keys were hashed with another secret than the one at hand",
            hint="set FINML_KEYS_SECRET as it was when they were made, or make the keys anew",
        )


class KeyStore:
    """The keys of the configured file; changed by one process at a time, written beside, then renamed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.path = settings.keys

    def records(self) -> Sequence[KeyRecord]:
        """All keys, the oldest first.

        Raises:
            AccessError: the file cannot be read or is no key file.
        """
        file = read_keys(self.path)
        return file.keys if file else ()

    def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        rate_per_s: float | None = None,
        rate_burst: int | None = None,
        daily_quota: int | None = None,
        expires_in: timedelta | None = None,
    ) -> NewKey:
        """Make a key.

        Args:
            name: for people; it says who uses the key.
            scopes: what the key may be used for, see `finml.access.scopes`.
            rate_per_s: requests a second to a model; `None`, as for the other limits: the setting's.
            rate_burst: requests at once.
            daily_quota: inputs a UTC day.
            expires_in: how long it is taken; `None`: until it is revoked.

        Raises:
            UsageError: a value cannot be meant.
            AccessError: the file cannot be read, is no key file, or another process holds it.
        """
        Scopes.of(scopes)
        now = datetime.now(UTC)
        with self._changing() as (file, hasher):
            key_id = new_id()
            text = new_key(key_id)
            try:
                record = KeyRecord(
                    id=key_id,
                    name=name,
                    hash=hasher.digest(text.encode()).hex(),
                    scopes=tuple(dict.fromkeys(scopes)),
                    rate_per_s=rate_per_s,
                    rate_burst=rate_burst,
                    daily_quota=daily_quota,
                    created=now,
                    expires=now + expires_in if expires_in is not None else None,
                )
            except ValidationError as error:
                found = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
                raise UsageError(f"no such key can be made: {found}") from None
            self._write(file.model_copy(update={"keys": (*file.keys, record)}))
        return NewKey(text, record)

    def revoke(self, key_id: str) -> KeyRecord:
        """End a key for good. Revoking it again changes nothing.

        Raises:
            AccessError: there is no such key, or the file cannot be changed.
        """
        with self._changing() as (file, _):
            record = _find(file, key_id)
            if not record.revoked:
                record = record.model_copy(update={"revoked": datetime.now(UTC)})
                self._replace(file, record)
        return record

    def rotate(self, key_id: str, grace: timedelta = timedelta()) -> NewKey:
        """Give a key a new secret; the old one is taken for `grace` more.

        Raises:
            AccessError: there is no such key, it is revoked or expired, or the file cannot be changed.
        """
        now = datetime.now(UTC)
        with self._changing() as (file, hasher):
            record = _find(file, key_id)
            if record.state(now) != "active":
                raise AccessError(
                    f"the key {key_id} is {record.state(now)}", hint="make a new one: `finml keys create`"
                )
            text = new_key(key_id)
            old = {"previous_hash": record.hash, "previous_until": now + grace} if grace else {}
            change = {
                "hash": hasher.digest(text.encode()).hex(),
                "previous_hash": None,
                "previous_until": None,
            }
            record = record.model_copy(update=change | old)
            self._replace(file, record)
        return NewKey(text, record)

    @contextmanager
    def _changing(self) -> Iterator[tuple[KeyFile, Hasher]]:
        """Sole right to change the file, with what is in it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=LOCK_TIMEOUT_S):
                file = read_keys(self.path)
                hasher = Hasher(find_secret(self._settings) or self._make_secret(file))
                file = file or KeyFile(secret_mark=hasher.mark)
                check_mark(file, hasher)
                yield file, hasher
        except Timeout as error:
            raise AccessError(
                f"another process holds {self.path} for more than {LOCK_TIMEOUT_S} s",
                hint="run the command again",
            ) from error

    def _make_secret(self, file: KeyFile | None) -> bytes:
        if file:
            raise secret_is_gone(self._settings)
        secret = secrets.token_hex(32).encode()
        write_private(secret_file(self._settings), secret)
        return secret

    def _replace(self, file: KeyFile, record: KeyRecord) -> None:
        keys = tuple(record if other.id == record.id else other for other in file.keys)
        self._write(file.model_copy(update={"keys": keys}))

    def _write(self, file: KeyFile) -> None:
        document = file.model_dump_json(indent=2, exclude_none=True) + "\n"
        write_private(self.path, document.encode())


def _find(file: KeyFile, key_id: str) -> KeyRecord:
    for record in file.keys:
        if record.id == key_id:
            return record
    raise AccessError(f"there is no key {key_id}", hint="`finml keys list` shows those there are")
