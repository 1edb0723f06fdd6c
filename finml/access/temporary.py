"""A key for as long as something of ours asks a service that it has started itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from finml.settings import Settings

SCOPES = ("*:predict", "*:explain", "*:read")
LASTS = timedelta(days=2)


@contextmanager
def temporary_key(settings: Settings, name: str, scopes: Sequence[str] = SCOPES) -> Iterator[str]:
    """A key that is revoked as the block ends; an empty text where none is needed.

    Args:
        settings: name the file of keys.
        name: whose it is, for `finml keys list`.
        scopes: what it allows.
    """
    if settings.auth == "open":
        yield ""
        return
    from finml.access.key_store import KeyStore

    store = KeyStore(settings)
    # expires by itself, should this process be killed
    key = store.create(name, tuple(scopes), expires_in=LASTS)
    try:
        yield key.text
    finally:
        store.revoke(key.record.id)
