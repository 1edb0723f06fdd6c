"""The offline store in PostgreSQL: one schema a ledger, one table a view, one transaction a build."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from finml.errors import FeatureError, SettingsError
from finml.features.declarations import STORED_VIEWS, View
from finml.features.offline import Generation, Manifest
from finml.resilience import connect_retries
from finml.settings import Settings

if TYPE_CHECKING:
    import psycopg

log = structlog.get_logger(__name__)

CHUNK_BYTES = 1 << 20


def schema_name(settings: Settings) -> str:
    """Schema of this ledger's features; a name of lower-case letters, digits and underscores."""
    return settings.workspace.project


def connection_parts(offline_url: str) -> dict[str, str]:
    """Host, port, database, user, password and sslmode of a PostgreSQL URL.

    Raises:
        SettingsError: it is no PostgreSQL URL, or names no database.
    """
    url = urlsplit(offline_url)
    database = url.path.lstrip("/")
    if url.scheme.partition("+")[0] not in ("postgresql", "postgres") or not database:
        raise SettingsError(
            "FINML_OFFLINE_URL is no PostgreSQL URL with a database",
            hint="postgresql://user:password@host:5432/database",
        )
    return {
        "host": url.hostname or "localhost",
        "port": str(url.port or 5432),
        "database": database,
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "sslmode": parse_qs(url.query).get("sslmode", ["prefer"])[0],
    }


def connect(offline_url: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection to the offline store; tried three times, within 10 s each.

    Raises:
        FeatureError: the server cannot be reached.
    """
    import psycopg

    parts = connection_parts(offline_url)
    try:
        return connect_retries(psycopg.OperationalError)(
            psycopg.connect,
            host=parts["host"],
            port=parts["port"],
            dbname=parts["database"],
            user=parts["user"],
            password=parts["password"] or None,
            sslmode=parts["sslmode"],
            connect_timeout=10,
        )
    except psycopg.OperationalError:
        raise FeatureError(
            f"PostgreSQL at {parts['host']}:{parts['port']} cannot be reached or refuses the user",
            hint="check FINML_OFFLINE_URL, or unset it for Parquet files",
        ) from None


def publish(settings: Settings, manifest: Manifest, generation: Generation) -> None:
    """Make the tables hold exactly the manifest's parts. Parts that are there already are left as they are.

    Raises:
        FeatureError: the server cannot be reached.
    """
    schema = schema_name(settings)
    with connect(settings.offline_url) as connection:  # commits at the end, or takes all of it back
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for view in STORED_VIEWS:
            added, dropped = _synchronise(connection, schema, view, manifest, generation)
            log.info("features_published", view=view.name, added=added, dropped=dropped)


def _synchronise(
    connection: "psycopg.Connection[tuple[object, ...]]",
    schema: str,
    view: View,
    manifest: Manifest,
    generation: Generation,
) -> tuple[int, int]:
    table = f"{schema}.{view.name}"
    wanted = ["user_id", "event_timestamp", "created_timestamp", *view.feature_names, "part"]
    present = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
        "ORDER BY ordinal_position",
        (schema, view.name),
    ).fetchall()
    if [name for (name,) in present] != wanted:
        features = ", ".join(
            f"{feature.name} {'text' if feature.is_text else 'double precision'}" for feature in view.features
        )
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(
            f"CREATE TABLE {table} (user_id text NOT NULL, event_timestamp timestamptz NOT NULL, "
            f"created_timestamp timestamptz NOT NULL, {features}, part text NOT NULL)"
        )
        connection.execute(f"CREATE INDEX ON {table} (user_id, event_timestamp)")
        connection.execute(f"CREATE INDEX ON {table} (part)")
    there = {str(name) for (name,) in connection.execute(f"SELECT DISTINCT part FROM {table}").fetchall()}  # noqa: S608  # nosec B608  # made of constants
    names = {part.name for part in manifest.parts if view.name in part.views}
    gone = sorted(there - names)
    connection.execute(f"DELETE FROM {table} WHERE part = ANY(%s)", (gone,))  # noqa: S608  # nosec B608  # made of constants
    new = sorted(names - there)
    for name in new:
        _copy(connection, table, wanted, generation.path(view.name, name), name)
    return len(new), len(gone)


def _copy(
    connection: "psycopg.Connection[tuple[object, ...]]",
    table: str,
    columns: list[str],
    file: Path,
    part: str,
) -> None:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "part.csv"
        with duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            # DuckDB writes the shortest text that reads back as the same float64.
            rows = engine.read_parquet(str(file))
            rows.project(f"{', '.join(columns[:-1])}, '{part}' as part").write_csv(str(text), header=False)
        with (
            text.open("rb") as lines,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)") as copy,
        ):
            while chunk := lines.read(CHUNK_BYTES):
                copy.write(chunk)
