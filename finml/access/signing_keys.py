"""The public keys of an issuer of tokens (a JWKS), from a file or a URL, read again as they change."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from jwt import PyJWK, PyJWKClient, PyJWKSet, PyJWTError

from finml.errors import AccessError, SettingsError

log = structlog.get_logger(__name__)

# how long a set is used before it is read again
LIFE_S = 300.0
# between two readings, however many unknown keys tokens name meanwhile
LEAST_PAUSE_S = 10.0
TIMEOUT_S = 5.0
# the latter two: JSON of another shape, of which PyJWT says no more
UNREADABLE = (PyJWTError, OSError, ValueError, AttributeError, TypeError)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SigningKeys:
    """An issuer's keys, of which the last good reading is kept. Belongs to one event loop.

    Args:
        read: reads the set; called in a thread, as it may wait for a network.
        clock: monotonic seconds.

    Attributes:
        reading: number of the set in use; goes up when the issuer's keys have changed.
    """

    def __init__(self, read: Callable[[], PyJWKSet], clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._keys: dict[str | None, PyJWK] = {}
        self.reading = 0
        self._tried: float | None = None
        self._failing = False
        self._reading_now: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> PyJWK | None:
        """The key of that id; without an id, the only key there is; `None` where the issuer has no such key.

        Raises:
            AccessError: no keys could be read yet, so nothing can be said of any token.
        """
        self.refresh_soon()
        found = self._pick(kid)
        if found is None and self._may_read(LEAST_PAUSE_S):
            self._start()
        if found is None and self._reading_now:
            # all that wait, wait for the same reading, whichever of them goes away
            await asyncio.shield(self._reading_now)
            found = self._pick(kid)
        if not self._keys:
            raise AccessError("the keys of the tokens' issuer cannot be read", hint="see FINML_JWT_JWKS")
        return found

    def refresh_soon(self) -> None:
        """Begin to read the set again, where it is old."""
        if self._may_read(LIFE_S if not self._failing else LEAST_PAUSE_S):
            self._start()

    def use(self, keys: PyJWKSet) -> None:
        """Take these keys from now on."""
        found = {key.key_id: key for key in keys.keys if key.public_key_use in ("sig", None)}
        if [(kid, key.key) for kid, key in found.items()] != [(k, key.key) for k, key in self._keys.items()]:
            self.reading += 1
        self._keys = found

    def _pick(self, kid: str | None) -> PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid) if kid is None or isinstance(kid, str) else None

    def _may_read(self, pause_s: float) -> bool:
        return self._reading_now is None and (self._tried is None or self._clock() - self._tried >= pause_s)

    def _start(self) -> None:
        self._tried = self._clock()
        self._reading_now = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        try:
            self.use(await asyncio.to_thread(self._read))
            self._failing = False
        except UNREADABLE as error:
            if not self._failing:
                # the keys read before stay: an issuer that is away must not lock everybody out
                log.error("jwks_not_read", kind=type(error).__name__, keeping=len(self._keys))
            self._failing = True
        finally:
            self._reading_now = None


def signing_keys(source: str) -> SigningKeys:
    """The keys at a URL, read with the first token; or in a file, read now.

    Raises:
        SettingsError: the URL is neither https nor of this machine; or the file cannot be used.
    """
    parts = urlsplit(source)
    if parts.scheme in ("http", "https"):
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise SettingsError(
                "FINML_JWT_JWKS is fetched without TLS, so that anybody on the way could sign tokens",
                hint="name an https URL, or a file",
            )
        client = PyJWKClient(source, cache_jwk_set=False, timeout=TIMEOUT_S)
        return SigningKeys(client.get_jwk_set)
    path = Path(source)

    def read() -> PyJWKSet:
        return PyJWKSet.from_dict(json.loads(path.read_bytes()))

    try:
        first = read()
    except UNREADABLE as error:
        raise SettingsError(
            f"FINML_JWT_JWKS cannot be used: {type(error).__name__}",
            hint="it names a URL, or a file with a JWKS (RFC 7517)",
        ) from None
    keys = SigningKeys(read)
    keys.use(first)
    return keys
