"""Keeps outcomes, and joins them to the predictions that they are about.

Each telling is a row, so the history is kept; of one prediction the last telling counts, by who asked for it
or by who may tell of anybody's. Outcomes may arrive before the prediction is in the inference log: nothing is
looked up until they are joined.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from finml.errors import MonitoringError
from finml.monitoring.outcomes import FeedbackInput, FeedbackRequest, Outcome, outcome_json
from finml.monitoring.reading import read
from finml.monitoring.rows import COLUMNS
from finml.monitoring.sinks import is_postgresql, moment
from finml.private_files import private_file
from finml.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

TABLE = "finml_feedback"
KEY = ("request_id", "position", "model")
TOLD = ("outcome", "caller", "of_anybody")
ASKED = ["request_id", "position", "caller"]
WAIT_S = 5
ATTEMPTS = 3


class FeedbackStore:
    """Outcomes in PostgreSQL where the inference log is, in SQLite below home otherwise.

    Takes threads and processes; connects when first used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def add(self, items: Sequence[Outcome], caller: str, *, of_anybody: Collection[str] = ()) -> int:
        """Store outcomes; they outlive a crash once this returns. Blocks: call it in a thread.

        Args:
            items: outcomes of any models; contracts are checked by `FeedbackRequest`.
            caller: opaque id of who tells them. They count for predictions that the same caller asked for.
            of_anybody: models of which they count whoever asked.

        Returns:
            How many were news: telling again what was told last changes nothing.

        Raises:
            MonitoringError: they cannot be stored now.
        """
        import sqlalchemy as sa
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

        # a table that two processes make at once, a locked database and a restarted server are soon over
        retrying = Retrying(
            retry=retry_if_exception_type(sa.exc.DBAPIError),
            wait=wait_random_exponential(multiplier=0.05, max=0.5),
            stop=stop_after_attempt(ATTEMPTS),
            reraise=True,
        )
        try:
            return int(retrying(self._add, items, caller, of_anybody))
        except (sa.exc.DBAPIError, OSError) as error:
            raise self._unavailable(error) from None

    def latest(self, model: str) -> "pd.DataFrame":
        """The last outcomes of a model by each that told some, the oldest first.

        Returns:
            Columns request_id, position, outcome (JSON), at and told_at (UTC), teller, and of_anybody:
            whether it counts for a prediction that another caller asked for.

        Raises:
            MonitoringError: they cannot be read.
        """
        import pandas as pd
        import sqlalchemy as sa

        table = self._table
        by = [*self._key, table.c.caller, table.c.of_anybody]
        last = sa.select(sa.func.max(table.c.id)).where(table.c.model == model).group_by(*by)
        columns = ("request_id", "position", "outcome", "at", "told_at", "teller", "of_anybody")
        chosen = [table.c["caller" if name == "teller" else name] for name in columns]
        query = sa.select(*chosen).where(table.c.id.in_(last)).order_by(table.c.id)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).fetchall()
        except (sa.exc.DBAPIError, OSError) as error:
            raise self._unavailable(error) from None
        found = pd.DataFrame(rows, columns=list(columns))
        for name in ("at", "told_at"):
            found[name] = pd.to_datetime(found[name], utc=True)
        return found.astype({"position": "int32", "of_anybody": bool})

    def close(self) -> None:
        """Close the connections."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def _add(self, items: Sequence[Outcome], caller: str, of_anybody: Collection[str]) -> int:
        import sqlalchemy as sa

        now = datetime.now(UTC)
        table = self._table
        ids = {item.request_id for item in items}
        columns = [*self._key, *(table.c[name] for name in TOLD)]
        query = sa.select(*columns).where(table.c.request_id.in_(ids)).order_by(table.c.id)
        with self._engine.begin() as connection:
            known = {tuple(row[: len(KEY)]): tuple(row[len(KEY) :]) for row in connection.execute(query)}
            news: list[dict[str, Any]] = []
            for item in items:
                key = tuple(getattr(item, name) for name in KEY)
                told = outcome_json(item), caller, key[-1] in of_anybody
                if known.get(key) != told:
                    known[key] = told
                    at = moment(item.at) if item.at else now
                    values = dict(zip((*KEY, *TOLD), (*key, *told), strict=True))
                    news.append(values | {"at": at, "told_at": now})
            if news:
                connection.execute(sa.insert(table), news)
        return len(news)

    @property
    def _key(self) -> list["sa.Column[Any]"]:
        return [self._table.c[name] for name in KEY]

    @cached_property
    def _table(self) -> "sa.Table":
        import sqlalchemy as sa

        return sa.Table(
            TABLE,
            sa.MetaData(),
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
            sa.Column("request_id", sa.Text, nullable=False),
            sa.Column("position", sa.Integer, nullable=False),
            sa.Column("model", sa.Text, nullable=False),
            sa.Column("outcome", sa.Text, nullable=False),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("caller", sa.Text, nullable=False),
            # false by default: what was told before this was kept counts for its caller's own predictions
            sa.Column("of_anybody", sa.Boolean, nullable=False, server_default=sa.false()),
            sa.Index(f"{TABLE}_key", *KEY),
        )

    @cached_property
    def _engine(self) -> "sa.Engine":
        """Connections, with the table there."""
        import sqlalchemy as sa

        url = self._settings.inference_log.get_secret_value()
        if is_postgresql(url):
            address = sa.make_url(url).set(drivername="postgresql+psycopg")
            engine = sa.create_engine(
                address, pool_pre_ping=True, pool_timeout=WAIT_S, connect_args={"connect_timeout": WAIT_S}
            )
        else:
            self._settings.home.mkdir(parents=True, exist_ok=True)
            file = self._settings.home / "feedback.db"
            # SQLite makes the files beside it as open as this one
            private_file(file)
            engine = sa.create_engine(f"sqlite:///{file}", connect_args={"timeout": WAIT_S})
            # a reader and a writer do not wait for each other, and a commit is on the disk
            sa.event.listen(engine, "connect", _durable)
        self._table.create(engine, checkfirst=True)
        _widen(engine, self._table)
        return engine

    def _unavailable(self, error: Exception) -> MonitoringError:
        # the message of a database may quote values
        kind = type(getattr(error, "orig", None) or error).__name__
        return MonitoringError(
            f"outcomes cannot be stored or read now ({kind})",
            hint="check FINML_INFERENCE_LOG and the server, or the disk below FINML_HOME",
        )


def joined(
    settings: Settings,
    model: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    columns: Sequence[str] = COLUMNS,
) -> "pd.DataFrame":
    """Logged predictions of a model with the outcomes that are known.

    Args:
        settings: name the log and the store.
        model: its name.
        since: first moment of the predictions.
        until: first moment that is left out.
        columns: of the log.

    Returns:
        One row a prediction, the oldest first: the columns of the log, and `outcome` (JSON), `outcome_at` and
        `told_at`, which are missing where nothing was told; and `unheard`, whether something was, but only by
        callers who may not tell of this one.

    Raises:
        MonitoringError: the log or the outcomes cannot be read.
    """
    needed = list(dict.fromkeys([*columns, *ASKED]))
    predictions = read(settings, since, until, model, columns=needed)
    told = FeedbackStore(settings).latest(model).rename(columns={"at": "outcome_at"})
    asked = predictions[ASKED].drop_duplicates()
    found = told.merge(asked, on=["request_id", "position"])
    counting = found[found.of_anybody | (found.teller == found.caller)]
    # in the order of telling, which a merge on the left keeps
    last = counting.drop_duplicates(ASKED, keep="last").drop(columns=["teller", "of_anybody"])
    rows = predictions.merge(last, how="left", on=ASKED)
    some = rows.merge(found[ASKED].drop_duplicates(), how="left", on=ASKED, indicator="told")
    return rows.assign(unheard=(some.told == "both") & rows.outcome.isna())


def _widen(engine: "sa.Engine", table: "sa.Table") -> None:
    """Add the columns that a table of an older version lacks; where two processes do so, one tries again."""
    import sqlalchemy as sa

    there = {column["name"] for column in sa.inspect(engine).get_columns(table.name)}
    with engine.begin() as connection:
        for column in table.columns:
            if column.name not in there:
                said = sa.schema.CreateColumn(column).compile(dialect=engine.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {said}")


def _durable(connection: Any, _: object) -> None:  # noqa: ANN401 - of the driver
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


__all__ = ["FeedbackInput", "FeedbackRequest", "FeedbackStore", "joined"]
