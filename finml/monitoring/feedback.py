"""Keeps outcomes, and joins them to the predictions that they are about.

Each telling is a row, so the history is kept; of one prediction the last telling counts. Outcomes may arrive
before the prediction is in the inference log: nothing is looked up until they are joined.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from finml.errors import MonitoringError
from finml.monitoring.outcomes import FeedbackInput, FeedbackRequest, Outcome, outcome_json
from finml.monitoring.reading import read
from finml.monitoring.rows import COLUMNS
from finml.monitoring.sinks import is_postgresql, moment
from finml.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

TABLE = "finml_feedback"
KEY = ("request_id", "position", "model")
WAIT_S = 5
ATTEMPTS = 3


class FeedbackStore:
    """Outcomes in PostgreSQL where the inference log is, in SQLite below home otherwise.

    Takes threads and processes; connects when first used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def add(self, items: Sequence[Outcome], caller: str) -> int:
        """Store outcomes; they outlive a crash once this returns. Blocks: call it in a thread.

        Args:
            items: outcomes of any models; contracts are checked by `FeedbackRequest`.
            caller: opaque id of who tells them.

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
            return int(retrying(self._add, items, caller))
        except (sa.exc.DBAPIError, OSError) as error:
            raise self._unavailable(error) from None

    def latest(self, model: str) -> "pd.DataFrame":
        """The outcomes of a model that count, one a prediction.

        Returns:
            Columns request_id, position, outcome (JSON), at and told_at (UTC).

        Raises:
            MonitoringError: they cannot be read.
        """
        import pandas as pd
        import sqlalchemy as sa

        table = self._table
        last = sa.select(sa.func.max(table.c.id)).where(table.c.model == model).group_by(*self._key)
        columns = ("request_id", "position", "outcome", "at", "told_at")
        query = sa.select(*(table.c[name] for name in columns)).where(table.c.id.in_(last))
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).fetchall()
        except (sa.exc.DBAPIError, OSError) as error:
            raise self._unavailable(error) from None
        found = pd.DataFrame(rows, columns=list(columns))
        for name in ("at", "told_at"):
            found[name] = pd.to_datetime(found[name], utc=True)
        return found.astype({"position": "int32"})

    def close(self) -> None:
        """Close the connections."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def _add(self, items: Sequence[Outcome], caller: str) -> int:
        import sqlalchemy as sa

        now = datetime.now(UTC)
        table = self._table
        ids = {item.request_id for item in items}
        query = sa.select(*self._key, table.c.outcome).where(table.c.request_id.in_(ids)).order_by(table.c.id)
        with self._engine.begin() as connection:
            known = {tuple(key): outcome for *key, outcome in connection.execute(query)}
            news: list[dict[str, Any]] = []
            for item in items:
                key = tuple(getattr(item, name) for name in KEY)
                outcome = outcome_json(item)
                if known.get(key) != outcome:
                    known[key] = outcome
                    at = moment(item.at) if item.at else now
                    values = {"outcome": outcome, "at": at, "told_at": now, "caller": caller}
                    news.append(dict(zip(KEY, key, strict=True)) | values)
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
            engine = sa.create_engine(f"sqlite:///{file}", connect_args={"timeout": WAIT_S})
            # a reader and a writer do not wait for each other, and a commit is on the disk
            sa.event.listen(engine, "connect", _durable)
        self._table.create(engine, checkfirst=True)
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
        `told_at`, which are missing where nothing was told.

    Raises:
        MonitoringError: the log or the outcomes cannot be read.
    """
    needed = list(dict.fromkeys([*columns, "request_id", "position"]))
    predictions = read(settings, since, until, model, columns=needed)
    outcomes = FeedbackStore(settings).latest(model).rename(columns={"at": "outcome_at"})
    return predictions.merge(outcomes, how="left", on=["request_id", "position"])


def _durable(connection: Any, _: object) -> None:  # noqa: ANN401 - of the driver
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


__all__ = ["FeedbackInput", "FeedbackRequest", "FeedbackStore", "joined"]
