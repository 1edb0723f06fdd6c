"""Where the counts of all serving processes come together: SQLite below home, or a shared Redis."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

KEPT_DAYS = 7
WITHIN_S = 2.0
PREFIX = "finml:quota"


class TallyError(Exception):
    """The counts cannot be brought together now."""


class Tally(Protocol):
    """Sums of counts by day and caller. Used by one thread at a time."""

    def exchange(self, day: int, counts: Mapping[str, int]) -> dict[str, int]:
        """Add counts of a day (days since 1970, UTC) to the sums, and return all sums of that day.

        Raises:
            TallyError: nothing was added, as far as can be known.
        """
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class SqliteTally:
    """Sums in a SQLite file, which the workers of one machine share.

    Args:
        path: the file; it is made with the first exchange.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def exchange(self, day: int, counts: Mapping[str, int]) -> dict[str, int]:
        """See `Tally.exchange`."""
        try:
            # opened anew each time, so that a file that was deleted or repaired is no trouble
            with closing(self._connect()) as connection:
                if counts:
                    self._add(connection, day, counts)
                found = connection.execute("SELECT caller, items FROM spent WHERE day = ?", (day,))
                return dict(found.fetchall())
        except (sqlite3.Error, OSError) as error:
            raise TallyError(f"{self._path}: {error}") from error

    def close(self) -> None:
        """Nothing stays open."""

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path, timeout=WITHIN_S, isolation_level=None)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS spent ("
            "day INTEGER, caller TEXT, items INTEGER NOT NULL, PRIMARY KEY (day, caller)) WITHOUT ROWID"
        )
        return connection

    def _add(self, connection: sqlite3.Connection, day: int, counts: Mapping[str, int]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            connection.executemany(
                "INSERT INTO spent VALUES (?, ?, ?) "
                "ON CONFLICT (day, caller) DO UPDATE SET items = items + excluded.items",
                [(day, caller, items) for caller, items in counts.items()],
            )
            connection.execute("DELETE FROM spent WHERE day < ?", (day - KEPT_DAYS,))


class RedisTally:
    """Sums in a hash of Redis for each day. Connects with the first exchange."""

    def __init__(self, url: str) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._client: Any = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=WITHIN_S,
            socket_connect_timeout=WITHIN_S,
            # a repetition could count twice; the next exchange is a second away
            retry=Retry(NoBackoff(), 0),
        )

    def exchange(self, day: int, counts: Mapping[str, int]) -> dict[str, int]:
        """See `Tally.exchange`."""
        from redis.exceptions import RedisError

        name = f"{PREFIX}:{day}"
        try:
            with self._client.pipeline(transaction=True) as pipeline:
                for caller, items in counts.items():
                    pipeline.hincrby(name, caller, items)
                pipeline.expire(name, KEPT_DAYS * 86_400)
                pipeline.hgetall(name)
                sums = pipeline.execute()[-1]
        except (RedisError, OSError) as error:
            # the message could hold the URL, and the URL a password
            raise TallyError(f"Redis: {type(error).__name__}") from None
        return {caller: int(items) for caller, items in sums.items()}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
