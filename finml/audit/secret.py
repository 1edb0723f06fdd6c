"""Where the audit log is, and what it is chained with."""

import contextlib
import os
import secrets
from pathlib import Path

from finml.errors import AuditError
from finml.settings import Settings

FEWEST_CHARACTERS = 32


def audit_folder(settings: Settings) -> Path:
    """Folder of the files of the audit log."""
    return settings.home / "audit" / "log"


def audit_secret(settings: Settings, *, make: bool = True) -> bytes:
    """The secret that the log is chained with: the setting's, or one that is made below home.

    Whoever can read both can forge the log, so a bank keeps the secret elsewhere and names it by the setting.

    Args:
        settings: the settings.
        make: whether one is made where there is none.

    Raises:
        SettingsError: it is too short.
        AuditError: it can be neither read nor made.
    """
    if given := settings.given_secret("audit_secret", least=FEWEST_CHARACTERS):
        return given
    path = settings.home / "audit" / "secret"
    try:
        if make and not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise AuditError(
            f"the audit log's secret {path} cannot be read: {error.strerror}",
            hint="set FINML_AUDIT_SECRET, or serve once with the same home",
        ) from error


def _make(path: Path) -> None:
    """Write a secret; of several processes that do so at once, the first decides."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{secrets.token_hex(8)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(beside, path)
    beside.unlink()
