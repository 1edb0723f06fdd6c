"""Who may call, for what, and how often: asked before anything else is done for a request.

An API key comes in `X-API-Key`, a bearer token in `Authorization`. Who is refused is not told which part was
wrong. The common path touches neither disk nor network, unless replicas share their limits by Redis.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import structlog

from bentos.asgi import Header
from finml.access.attempts import Attempts, network_of
from finml.access.caller import Caller, Limits
from finml.access.keyring import Keyring
from finml.access.quota import Quota
from finml.access.rates import Rates, Verdict
from finml.access.scopes import Scopes
from finml.access.tallies import RedisTally, SqliteTally
from finml.access.ticker import Ticker
from finml.access.tokens import Tokens, issuer_keys
from finml.audit import check_audit_secret
from finml.errors import AccessError, SettingsError
from finml.settings import Settings

log = structlog.get_logger(__name__)

__all__ = ["Admitted", "Caller", "Guard", "Refused"]

KEY_HEADER = b"x-api-key"
TOKEN_HEADER = b"authorization"
BEARER = b"bearer "
# the same for whatever was wrong
CHALLENGE = (b"www-authenticate", b'ApiKey realm="finml", Bearer realm="finml"')
# a revoked key is refused within this and the time of reading a small file
KEYS_S = 0.5
ISSUER_AWAY_S = 10


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on, with the headers that its answer shall carry."""

    caller: Caller
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that may not.

    Attributes:
        kind: last part of the problem's type, where it is not that of the status.
    """

    status: int
    headers: tuple[Header, ...] = ()
    detail: str = ""
    kind: str = ""


UNAUTHORIZED = Refused(401, (CHALLENGE,))
FORBIDDEN = Refused(403)


class Guard:
    """Authenticates, authorizes and limits requests. Belongs to one serving process and its event loop.

    Args:
        settings: who may call, by which keys and tokens, and how often.

    Raises:
        SettingsError: the settings let nobody in, or contradict themselves.
        AccessError: the keys cannot be read.
        AuditError: the secret that ids of callers with a token are made with can be neither read nor made.
    """

    def __init__(self, settings: Settings) -> None:
        self._open = settings.auth == "open"
        self._anybody = Caller("open", Scopes.of(["*:*"]), Limits(settings.rate_per_s, settings.rate_burst))
        self._keys = Keyring(settings)
        self._tokens: Tokens | None = None
        redis_url = settings.limits_redis_url.get_secret_value()
        self._attempts, self._rates = Attempts(settings.failed_attempts), Rates(redis_url)
        tally = RedisTally(redis_url) if redis_url else SqliteTally(settings.home / "access" / "quota.sqlite")
        self._quota = Quota(tally)
        self._ticker = Ticker(self._keys.refresh, seconds=KEYS_S, name="finml-keys")
        if self._open:
            log.warning("everybody_is_answered", setting="FINML_AUTH=open")
            return
        self._tokens = Tokens.of(settings)
        self._keys.load()
        check_somebody(settings, self._keys, tokens=self._tokens is not None)
        if redis_url and self._tokens and not settings.audit_secret.get_secret_value():
            # replicas that make a secret each know a caller by different ids
            log.warning("token_callers_share_no_limits", hint="set FINML_AUDIT_SECRET alike everywhere")
        self._ticker.start()
        self._quota.start()

    async def admit(
        self, headers: Mapping[bytes, bytes], address: str, model: str, action: str
    ) -> Admitted | Refused:
        """Say whether a request may go on.

        Args:
            headers: of the request, names in lower case.
            address: the client's.
            model: a model's name; `*` where the request is about no single one.
            action: `predict`, `explain`, `feedback` or `read`.
        """
        if self._open:
            return await self._limit(self._anybody, f"open {network_of(address)} {model}")
        wait_s = self._attempts.wait_s(address)
        if wait_s:
            return Refused(429, (retry_after(wait_s),))
        try:
            caller = await self._who(headers)
        except AccessError:
            return Refused(503, (retry_after(ISSUER_AWAY_S),))
        if caller is None:
            if KEY_HEADER in headers or TOKEN_HEADER in headers:
                self._attempts.failed(address)
            return UNAUTHORIZED
        if not caller.scopes.allow(model, action):
            return FORBIDDEN
        return await self._limit(caller, f"{caller.id} {model}")

    async def spend(self, caller: Caller, model: str, items: int) -> Refused | None:
        """Count the inputs of a request against the caller's daily quota, which holds over all models."""
        if caller.limits.daily_quota is None:
            return None
        wait_s = self._quota.spend(caller.id, items, caller.limits.daily_quota)
        if not wait_s:
            return None
        detail = "The daily quota of inputs is spent; it is new at midnight UTC."
        return Refused(429, (retry_after(wait_s),), detail, kind="quota-exceeded")

    def give_back(self, caller: Caller, items: int) -> None:
        """Uncount inputs that were counted by `spend` and got no answer through a fault of the service."""
        if caller.limits.daily_quota is not None:
            self._quota.give_back(caller.id, items)

    async def aclose(self) -> None:
        """End what goes on beside requests, with the day's counts written."""
        if not self._open:
            self._ticker.stop()
            await asyncio.to_thread(self._quota.close)
        await self._rates.aclose()

    async def _who(self, headers: Mapping[bytes, bytes]) -> Caller | None:
        key = headers.get(KEY_HEADER)
        if key is not None:
            return self._keys.find(key)
        given = headers.get(TOKEN_HEADER, b"")
        if self._tokens and given[: len(BEARER)].lower() == BEARER:
            return await self._tokens.find(given[len(BEARER) :].strip())
        return None

    async def _limit(self, caller: Caller, key: str) -> Admitted | Refused:
        limits = caller.limits
        verdict = await self._rates.take(key, limits)
        shown = rate_headers(limits.rate_per_s, limits.burst, verdict)
        if verdict.admitted:
            return Admitted(caller, shown)
        return Refused(429, (retry_after(verdict.retry_in_s), *shown))


def check_access(settings: Settings) -> None:
    """Look, before a server is started, whether anybody could call it, and write nothing.

    Raises:
        SettingsError, AccessError, AuditError: as for `Guard`.
    """
    if settings.auth == "required":
        keys, tokens = Keyring(settings), issuer_keys(settings) is not None
        keys.load()
        check_somebody(settings, keys, tokens=tokens)
        if tokens:
            check_audit_secret(settings)


def check_somebody(settings: Settings, keys: Keyring, *, tokens: bool) -> None:
    """Raise `SettingsError` where there are neither keys nor an issuer of tokens."""
    if not (len(keys) or tokens):
        raise SettingsError(
            f"nobody may call: there are no API keys in {settings.keys}, and no issuer of tokens is set",
            hint="make a key: `finml keys create NAME --scope '*:*'`; "
            "or let everybody call: `finml serve --open`, or FINML_AUTH=open",
        )


def retry_after(seconds: float) -> Header:
    """`Retry-After`, in whole seconds, so that who waits that long is not refused again."""
    return b"retry-after", b"%d" % max(1, math.ceil(seconds))


def rate_headers(rate_per_s: float, burst: int, verdict: Verdict) -> tuple[Header, Header]:
    """`RateLimit-Policy` and `RateLimit`, as in version 9 of draft-ietf-httpapi-ratelimit-headers.

    `q` requests may come in `w` seconds; `r` more may come now, and all `q` again in `t` seconds.
    """
    current = b'"burst";r=%d;t=%d' % (verdict.remaining, math.ceil(verdict.full_in_s))
    return policy(rate_per_s, burst), (b"ratelimit", current)


@lru_cache(maxsize=1024)
def policy(rate_per_s: float, burst: int) -> Header:
    """`RateLimit-Policy`: the bucket's size, and the seconds in which it is full again."""
    return b"ratelimit-policy", b'"burst";q=%d;w=%d' % (burst, math.ceil(burst / rate_per_s))
