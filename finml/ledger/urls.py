"""Ledger URLs: which kind of ledger a URL names, and where it is."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from finml.errors import SourceError
from finml.urls import public_url

LedgerKind = Literal["postgresql", "sqlite", "duckdb", "folder"]

_POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_LOCAL_SCHEMES = ("file", "sqlite", "duckdb")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_HINT = (
    "use postgresql://user@host/database, sqlite:///file.db, duckdb:///file.duckdb, or a folder of Parquet "
    "or CSV files"
)


@dataclass(frozen=True)
class LedgerUrl:
    """A ledger's URL, taken apart.

    Attributes:
        kind: kind of ledger.
        path: the file or folder; meaningless for PostgreSQL.
        public: the URL without user and password, fit for messages and logs.
        dsn: connection string of a PostgreSQL server, with its password; empty for all others.
    """

    kind: LedgerKind
    path: Path
    public: str
    dsn: str = ""

    def __repr__(self) -> str:
        return f"LedgerUrl({self.public!r})"


def parse_url(url: str) -> LedgerUrl:
    """Take a ledger's URL apart. Touches neither disk nor network.

    Raises:
        SourceError: the URL names no kind of ledger that finml reads; the message never shows its password.
    """
    if not url.strip():
        raise SourceError("the ledger's URL is empty", hint=_HINT)
    match = _SCHEME.match(url)
    if match is None:
        return LedgerUrl("folder", Path(url).expanduser(), public_url(url))
    scheme = match.group(1).lower()
    try:
        public = public_url(url)
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceError(f"the {scheme} URL of the ledger is malformed", hint=_HINT) from None
    if scheme in _POSTGRESQL_SCHEMES:
        if len(parts.path) < 2 or port == 0:
            raise SourceError(f"{public} names no database", hint=_HINT)
        return LedgerUrl("postgresql", Path(), public, "postgresql" + url[len(match.group(1)) :])
    if scheme not in _LOCAL_SCHEMES:
        raise SourceError(f"no ledger can be read from a {scheme}:// URL", hint=_HINT)
    if parts.netloc:
        raise SourceError(
            f"{public} names a host, but a {scheme} ledger is a local file or folder", hint=_HINT
        )
    if scheme == "file":
        return LedgerUrl("folder", Path(unquote(parts.path)), public)
    # three slashes: relative to the working folder; four: absolute, as SQLAlchemy has it
    location = unquote(parts.path.removeprefix("/"))
    if location in ("", ":memory:"):
        raise SourceError(f"a {scheme} ledger needs a file, not memory", hint=_HINT)
    path = Path(location).expanduser()
    return LedgerUrl("sqlite" if scheme == "sqlite" else "duckdb", path, f"{scheme}:///{path.resolve()}")
