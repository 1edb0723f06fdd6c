"""Where the audit log is, and what it is chained with."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finml.errors import AuditError
from finml.private_files import write_private
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
        SettingsError: the setting's is too short.
        AuditError: the one below home is too short, or can be neither read nor made.
    """
    if given := _given(settings):
        return given
    path = _file(settings)
    with _said(path):
        if make and not path.exists():
            # of several processes that do so at once, the first decides
            write_private(path, secrets.token_hex(32).encode(), replace=False)
        return _read(path)


def check_audit_secret(settings: Settings) -> None:
    """Look whether `audit_secret` would take the secret that is given or was made, and make none.

    Raises:
        SettingsError, AuditError: as for `audit_secret`.
    """
    if _given(settings):
        return
    path = _file(settings)
    with _said(path):
        if path.exists():
            _read(path)


def _given(settings: Settings) -> bytes | None:
    return settings.given_secret("audit_secret", least=FEWEST_CHARACTERS)


def _file(settings: Settings) -> Path:
    return settings.home / "audit" / "secret"


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Raise `AuditError` where the file can be neither read nor made."""
    try:
        yield
    except OSError as error:
        raise AuditError(
            f"the audit log's secret {path} cannot be read: {error.strerror}",
            hint="set FINML_AUDIT_SECRET, or serve once with the same home",
        ) from error


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret.strip()) < FEWEST_CHARACTERS:
        # as a file that was emptied or only touched: what is chained with it anybody could forge
        raise AuditError(
            f"the audit log's secret {path} has fewer than {FEWEST_CHARACTERS} characters",
            hint="restore it; a new one, made once this is removed, does not agree with the log so far",
        )
    return secret
