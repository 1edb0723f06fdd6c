"""Bearer tokens: JWTs of one issuer and one algorithm, verified once and remembered until they expire."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from finml.access.caller import Caller, Limits
from finml.access.scopes import Scopes
from finml.access.signing_keys import SigningKeys, signing_keys
from finml.errors import SettingsError
from finml.pseudonyms import pseudonym, pseudonym_key
from finml.settings import Settings

# clocks of issuer and server may differ by as much
LEEWAY_S = 10
MOST_REMEMBERED = 10_000
LONGEST_TOKEN = 16 << 10
CLAIMS = ("exp", "iss", "aud", "sub")


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A token that was verified, until when it is taken, and by which reading of the issuer's keys."""

    caller: Caller
    until: float
    reading: int


def issuer_keys(settings: Settings) -> SigningKeys | None:
    """Where the keys of the settings' issuer come from; `None` where they name no issuer.

    Raises:
        SettingsError: they say only half of what is needed, or the file of keys cannot be used.
    """
    if not settings.jwt_issuer:
        if settings.jwt_jwks or settings.jwt_audience:
            raise SettingsError(
                "bearer tokens need an issuer",
                hint="set FINML_JWT_ISSUER, or unset the other FINML_JWT_*",
            )
        return None
    if not (settings.jwt_audience and settings.jwt_jwks):
        raise SettingsError(
            "bearer tokens need an audience and the issuer's keys",
            hint="set FINML_JWT_AUDIENCE and FINML_JWT_JWKS",
        )
    return signing_keys(settings.jwt_jwks)


class Tokens:
    """Verifies bearer tokens.

    Args:
        settings: issuer, audience, algorithm, the limits of callers with a token, and what their ids are made
            with.
        keys: the issuer's public keys.
        now: seconds of the epoch.
    """

    def __init__(self, settings: Settings, keys: SigningKeys, now: Callable[[], float] = time.time) -> None:
        self._issuer, self._audience = settings.jwt_issuer, settings.jwt_audience
        self._algorithm = settings.jwt_algorithm
        self._limits = Limits.default(settings)
        self._keys, self._now = keys, now
        self._pseudonym_key = pseudonym_key(settings)
        self._remembered: dict[bytes, _Remembered] = {}

    @classmethod
    def of(cls, settings: Settings) -> "Tokens | None":
        """By the settings; `None` where they name no issuer.

        Raises:
            SettingsError: as for `issuer_keys`, or the secret that ids are made with is too short.
            AuditError: that secret can be neither read nor made.
        """
        keys = issuer_keys(settings)
        return None if keys is None else cls(settings, keys)

    async def find(self, token: bytes) -> Caller | None:
        """Who a token speaks for, or `None` where it is none that is taken now.

        Raises:
            AccessError: the issuer's keys could not be read yet.
        """
        digest = hashlib.sha256(token).digest()
        known = self._remembered.get(digest)
        if known and known.reading == self._keys.reading and self._now() < known.until:
            # old keys are looked after beside the requests, not before them
            self._keys.refresh_soon()
            return known.caller
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            claims = await self._verify(token.decode("ascii"))
        except (jwt.PyJWTError, ValueError, TypeError):
            # PyJWT raises the latter two for documents that are no token at all
            return None
        # an id for logs, which does not give the subject away to whoever reads them
        caller_id = f"jwt:{pseudonym(self._pseudonym_key, str(claims['sub']), 'caller')}"
        caller = Caller(caller_id, Scopes.within(claims.get("scope")), self._limits)
        self._remember(digest, _Remembered(caller, float(claims["exp"]), self._keys.reading))
        return caller

    async def _verify(self, token: str) -> dict[str, Any]:
        """The claims of a token.

        Raises:
            PyJWTError, ValueError, TypeError: it is not to be taken.
        """
        # the header names the key; what it says of the algorithm decides nothing
        key = await self._keys.find(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise jwt.InvalidKeyError
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[self._algorithm],
            audience=self._audience,
            issuer=self._issuer,
            leeway=LEEWAY_S,
            options={"require": list(CLAIMS)},
        )
        return claims

    def _remember(self, digest: bytes, found: _Remembered) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            # the oldest, as dictionaries keep their order
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = found
