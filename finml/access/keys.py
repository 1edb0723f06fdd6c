"""API keys: how one looks, what is stored of it, and the file that they are stored in."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from finml.access.scopes import Scopes
from finml.errors import AccessError, UsageError

PREFIX = "finml_"
ID_BYTES = 6
SECRET_BYTES = 32
ID_PLACE = slice(len(PREFIX), len(PREFIX) + 2 * ID_BYTES)
LENGTH = len(PREFIX) + 2 * ID_BYTES + 1 + 2 * SECRET_BYTES
# for scanners of leaked secrets, and for tests
PATTERN = re.compile(rf"{PREFIX}[0-9a-f]{{{2 * ID_BYTES}}}_[0-9a-f]{{{2 * SECRET_BYTES}}}")

HASH = r"^[0-9a-f]{64}$"


def known_scopes(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes, if each is one."""
    try:
        Scopes.of(texts)
    except UsageError as error:
        raise ValueError(str(error)) from None
    return texts


class Hasher:
    """Hashes keys with a secret, so that who reads the key file can neither use nor guess at what is in it.

    A key has 256 random bits, so one round of BLAKE2b is enough; slow hashes are for passwords.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        # BLAKE2b takes 64 bytes of key
        self._secret = hashlib.blake2b(secret).digest()

    def digest(self, key: bytes) -> bytes:
        """Keyed hash of a whole key, its id included; 32 bytes."""
        return hashlib.blake2b(key, key=self._secret, digest_size=32).digest()

    @property
    def mark(self) -> str:
        """Tells whether two hashers have the same secret, and nothing about it."""
        return self.digest(b"finml: the secret of this file").hex()[:16]


class KeyRecord(BaseModel):
    """What is stored of a key.

    Attributes:
        hash: keyed hash of the key, in hexadecimal.
        previous_hash: that of the key before the last rotation, taken until `previous_until`.
        rate_per_s: `None`, as the other limits: the setting's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=rf"^[0-9a-f]{{{2 * ID_BYTES}}}$")
    name: str = Field(min_length=1, max_length=100)
    hash: str = Field(pattern=HASH)
    previous_hash: str | None = Field(None, pattern=HASH)
    previous_until: AwareDatetime | None = None
    scopes: Annotated[tuple[str, ...], AfterValidator(known_scopes)] = Field(min_length=1)
    rate_per_s: float | None = Field(None, ge=0.001, allow_inf_nan=False)
    rate_burst: int | None = Field(None, ge=1)
    daily_quota: int | None = Field(None, ge=1)
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None

    def state(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether the key is taken at a moment."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "active"


class KeyFile(BaseModel):
    """The file of keys.

    Attributes:
        secret_mark: tells whether the secret at hand is the one that the keys were hashed with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    secret_mark: str
    keys: tuple[KeyRecord, ...] = ()

    @classmethod
    def parse(cls, text: str | bytes) -> "KeyFile":
        """The file with this content.

        Raises:
            AccessError: it is no key file.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(str(part) for part in each['loc']) or 'the file'}: {each['msg']}"
                # the input would bring hashes into messages
                for each in error.errors(include_url=False, include_input=False, include_context=False)
            )
            raise AccessError(
                f"the key file breaks its contract: {found}", hint="restore it, or make it anew"
            ) from None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `text` is nowhere else.

    Attributes:
        text: what callers send.
        record: what is stored.
    """

    text: str
    record: KeyRecord

    def __repr__(self) -> str:
        return f"NewKey({self.record.id})"


def new_id() -> str:
    """A random key id."""
    return secrets.token_hex(ID_BYTES)


def new_key(key_id: str) -> str:
    """A key of 256 random bits."""
    return f"{PREFIX}{key_id}_{secrets.token_hex(SECRET_BYTES)}"
