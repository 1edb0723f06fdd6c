"""Database errors as messages that name the cause and never the password."""

from urllib.parse import parse_qs, unquote, urlsplit


def redacted(error: BaseException, dsn: str) -> str:
    """First line of a driver's error, without the password of `dsn` in any of its spellings."""
    text = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    line = text.splitlines()[0]
    parts = urlsplit(dsn)
    for secret in (parts.password or "", *parse_qs(parts.query).get("password", [])):
        for spelling in filter(None, (secret, unquote(secret))):
            line = line.replace(spelling, "***")
    return line
