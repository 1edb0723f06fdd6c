"""URLs of ledgers and servers: how they are shown, what tells them apart, whether they hold a secret."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

LOCAL_DATABASES = frozenset({"sqlite", "duckdb"})
SECRET_PARAMETERS = frozenset({"password", "passwd", "pwd", "sslpassword", "token"})
# Parameters of a connection that say how, not what, one connects to.
MANNERS = SECRET_PARAMETERS | {"user", "connect_timeout", "application_name", "channel_binding"}


def is_local(url: str) -> bool:
    """Whether a URL names a file or folder of this machine."""
    scheme = urlsplit(url).scheme
    return len(scheme) <= 1 or scheme == "file" or scheme in LOCAL_DATABASES


def public_url(url: str) -> str:
    """`url` without user, password and parameters, a local path made absolute: fit for messages and logs."""
    parts = urlsplit(url)
    if len(parts.scheme) <= 1 or parts.scheme == "file":
        return str(Path(unquote(parts.path) if parts.scheme == "file" else url).expanduser().resolve())
    if parts.scheme in LOCAL_DATABASES and not parts.netloc and parts.path.strip("/"):
        return f"{parts.scheme}:///{Path(unquote(parts.path.removeprefix('/'))).expanduser().resolve()}"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def identity(url: str) -> str:
    """What tells this ledger from others: as `public_url`, with the parameters that decide what is read.

    A changed password or time limit leaves it as it is; another file, database or schema changes it.
    """
    parameters = [
        (key, value)
        for key, value in parse_qsl(urlsplit(url).query)
        if key not in MANNERS and not key.startswith("ssl")
    ]
    return public_url(url) + (f"?{urlencode(sorted(parameters))}" if parameters else "")


def has_secret(url: str) -> bool:
    """Whether a URL carries a password, before its host or among its parameters."""
    parts = urlsplit(url)
    named = any(key.lower() in SECRET_PARAMETERS for key, value in parse_qsl(parts.query) if value)
    return parts.password is not None or named
