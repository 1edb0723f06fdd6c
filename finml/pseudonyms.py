"""Stand-ins for people in logs: always the same for one, and nobody's without the secret.

A hash alone hides nobody whose name can be guessed: ids and addresses are few enough to try them all.
"""

import hmac
from hashlib import blake2b
from typing import Literal

from finml.audit.secret import audit_secret
from finml.settings import Settings

HIDDEN_BYTES = 8

Role = Literal["caller", "subject"]
"""Who calls, or whom a prediction is about."""


def pseudonym_key(settings: Settings) -> bytes:
    """What stand-ins of this home are made with: derived from the audit log's secret, and no way back to it.

    Raises:
        SettingsError, AuditError: as for `audit_secret`.
    """
    return hmac.digest(audit_secret(settings), b"finml pseudonyms", "sha256")


def pseudonym(key: bytes, name: str, role: Role) -> str:
    """The stand-in for a name in a role: 16 hexadecimal digits.

    Who calls under the name that predictions know it by has another stand-in there: a log of callers does not
    say whom predictions are about.
    """
    # BLAKE2's own means of keeping apart what one key is used for (RFC 7693 calls it personalization)
    hashed = blake2b(
        name.encode("utf-8", "surrogatepass"), key=key, digest_size=HIDDEN_BYTES, person=role.encode()
    )
    return hashed.hexdigest()
