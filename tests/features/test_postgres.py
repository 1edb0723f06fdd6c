"""The offline store and the registry in a real PostgreSQL."""

from datetime import datetime
from pathlib import Path

import psycopg
import pytest

import feature_repo
from finml.errors import FeatureError, SettingsError
from finml.features.build import build
from finml.features.declarations import SERVICES, VIEWS
from finml.features.labels import anomaly_spine, credit_risk_spine
from finml.features.materialize import materialize
from finml.features.offline import OfflineStore
from finml.features.online import OnlineFeatures
from finml.features.postgres import connection_parts, schema_name
from finml.features.serving import export_serving, serving_store
from finml.features.store import training_set
from finml.features.verify import verify
from finml.settings import Settings
from tests.features.books import bank, bits
from tests.servers import free_port

SERVICE = "credit_risk_v1"
NAMES = [name for view in SERVICES[SERVICE] for name in VIEWS[view].feature_names]


@pytest.mark.server
def test_postgresql_and_parquet_give_the_same_bits(tmp_path: Path, postgres_database: str) -> None:
    ledger = str(tmp_path / "ledger")
    files = Settings(home=tmp_path / "files", ledger_url=ledger)
    server = Settings(home=tmp_path / "server", ledger_url=ledger, offline_url=postgres_database)
    book = bank(31, users=6, months=4)
    tables = book.write(tmp_path / "tables")
    spine = credit_risk_spine(tables)
    frames = []
    for settings in (files, server):
        repo = feature_repo.definitions(settings)
        build(tables, settings)
        frames.append(training_set(settings, repo, SERVICE, spine))
    assert bits(frames[0][["user_id", *NAMES]]) == bits(frames[1][["user_id", *NAMES]])
    asked = anomaly_spine(tables)
    texts = [
        training_set(settings, feature_repo.definitions(settings), "anomaly_v1", asked)["habits"]
        for settings in (files, server)
    ]
    assert texts[0].notna().all()
    assert list(texts[0]) == list(texts[1])

    assert {view.status for view in materialize(server, repo).views} == {"stale"}
    assert verify(server, repo).equal
    export_serving(server, repo, tmp_path / "serving")
    assert "n0t-for-logs" not in (tmp_path / "serving" / "feature_store.yaml").read_text()
    served = OnlineFeatures(serving_store(tmp_path / "serving", server), SERVICE)
    assert served.read(["u1"])[0].status == "stale"

    book.money(datetime(2024, 4, 2), 12_345, account_id="u0-savings", known_at=datetime(2024, 4, 3))
    later = book.write(tmp_path / "tables")
    for settings in (files, server):
        report = build(later, settings)
        frames.append(training_set(settings, feature_repo.definitions(settings), SERVICE, spine))
    assert bits(frames[2][["user_id", *NAMES]]) == bits(frames[3][["user_id", *NAMES]])
    with psycopg.connect(postgres_database) as connection:
        table = f"{schema_name(server)}.user_financials"
        parts = connection.execute(f"SELECT DISTINCT part FROM {table}").fetchall()  # noqa: S608 - a constant
        manifest = OfflineStore(server.workspace.features).require()
    of_view = {part.name for part in manifest.parts if "user_financials" in part.views}
    assert {name for (name,) in parts} == of_view < {*report.built, *report.reused}


@pytest.mark.server
def test_a_table_of_other_columns_is_made_anew(tmp_path: Path, postgres_database: str) -> None:
    settings = Settings(
        home=tmp_path / "home", ledger_url=str(tmp_path / "ledger"), offline_url=postgres_database
    )
    schema = schema_name(settings)
    with psycopg.connect(postgres_database) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"CREATE TABLE {schema}.credit_history (user_id text, part text)")
    build(bank(32, users=2, months=2).write(tmp_path / "tables"), settings)
    with psycopg.connect(postgres_database) as connection:
        rows = connection.execute(f"SELECT count(status_6) FROM {schema}.credit_history").fetchone()  # noqa: S608 - a constant
    assert rows is not None


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(
        home=tmp_path / "home",
        ledger_url=str(tmp_path / "ledger"),
        offline_url=f"postgresql://finml:secret@127.0.0.1:{port}/features",
    )
    with pytest.raises(FeatureError, match=f"PostgreSQL at 127.0.0.1:{port} cannot be reached") as refused:
        build(bank(33, users=1, months=2).write(tmp_path / "tables"), settings)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["mysql://localhost/features", "postgresql://localhost", "features"])
def test_what_is_no_postgresql_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="no PostgreSQL URL"):
        connection_parts(url)


def test_a_url_is_taken_apart() -> None:
    parts = connection_parts("postgresql+psycopg://us%40er:p%2Fw@db:6543/features?sslmode=require")
    assert parts == {
        "host": "db",
        "port": "6543",
        "database": "features",
        "user": "us@er",
        "password": "p/w",
        "sslmode": "require",
    }
