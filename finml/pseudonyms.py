"""Stand-ins for people in logs: always the same for one, and nobody's without the secret.

A hash alone hides nobody whose name can be guessed: ids and addresses are few enough to try them all.
"""

import hmac
from hashlib import blake2b

from finml.audit.secret import audit_secret
from finml.settings import Settings

HIDDEN_BYTES = 8


def pseudonym_key(settings: Settings) -> bytes:
    """What stand-ins of this home are made with: derived from the audit log's secret, and no way back to it.

    Raises:
        SettingsError: that secret is too short.
        AuditError: it can be neither read nor made.
    """
    return hmac.digest(audit_secret(settings), b"finml pseudonyms", "sha256")


def pseudonym(key: bytes, name: str) -> str:
    """The stand-in for a name: 16 hexadecimal digits."""
    return blake2b(name.encode("utf-8", "surrogatepass"), key=key, digest_size=HIDDEN_BYTES).hexdigest()
