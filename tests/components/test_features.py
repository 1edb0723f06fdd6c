"""The steps `ingest`, `build_features`, `materialize` and `training_set`."""

import json
from pathlib import Path

import pandas as pd
import pytest

from components.build_features import build_features
from components.ingest import ingest
from components.materialize import materialize
from components.step import RUN_FOLDER
from finml.errors import LedgerError
from finml.features.declarations import STORED_VIEWS
from finml.ledger.contracts import TABLES
from tests.components.conftest import MODEL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("components")]


def test_ingest_writes_every_table_and_says_how_many_rows(ingested):
    tables = ingested["tables"]
    rows = {file.stem: len(pd.read_parquet(file)) for file in Path(tables.path).iterdir()}
    assert set(rows) == set(TABLES)
    assert rows == tables.metadata["rows"]
    assert rows["users"] == 300
    assert f"{sum(rows.values()):,} new" in tables.metadata["summary"]
    assert "# Ingestion" in Path(ingested["report"].path).read_text()


def test_a_second_ingestion_finds_nothing_new_and_the_same_data(steps, ingested):
    again = steps(ingest, ledger_url="")
    assert again["tables"].metadata["data_hash"] == ingested["tables"].metadata["data_hash"]
    assert " 0 new, 0 changed" in again["tables"].metadata["summary"]


def test_a_failing_step_says_what_to_do_in_its_log_and_in_the_run_s_folder(
    empty, capfd, monkeypatch, tmp_path
):
    monkeypatch.setenv(RUN_FOLDER, str(tmp_path))
    with pytest.raises(LedgerError):
        empty(ingest, ledger_url=str(tmp_path / "no-ledger"))
    (event,) = [line for line in capfd.readouterr().err.splitlines() if "step_failed" in line]
    words = json.loads(event)
    assert words["step"] == "ingest"
    assert "no-ledger" in words["message"]
    assert words["hint"]
    left = json.loads((tmp_path / "ingest.failure.json").read_text())
    assert left == {key: words[key] for key in ("type", "message", "hint")}


def test_features_are_built_once(steps, ingested, built):
    report = json.loads(Path(built["features"].path).read_text())
    assert built["features"].metadata["data_hash"] == ingested["tables"].metadata["data_hash"]
    assert set(built["features"].metadata["rows"]) == {view.name for view in STORED_VIEWS}
    again = steps(build_features, ledger_url="", tables=ingested["tables"])
    assert f"0 parts built, {len(report['built'])} unchanged" in again["features"].metadata["summary"]


def test_materialize_tells_how_fresh_each_view_is(steps, built, materialized):
    page = Path(materialized["freshness"].path).read_text()
    assert "user_financials" in page
    assert "credit_history" in page
    again = steps(materialize, ledger_url="", features=built["features"])
    assert "missing" not in again["freshness"].metadata["summary"]


def test_rows_to_train_on_and_held_out_rows_share_no_user(rows):
    parts = {name: pd.read_parquet(rows[name].path) for name in ("training_rows", "held_out_rows")}
    assert set(parts["training_rows"]["user_id"]).isdisjoint(parts["held_out_rows"]["user_id"])
    for name, part in parts.items():
        assert len(part) == rows[name].metadata["rows"] > 0
        assert part["defaulted"].any()


def test_the_data_s_hash_goes_along(ingested, rows):
    for name in ("training_rows", "held_out_rows"):
        assert rows[name].metadata["data_hash"] == ingested["tables"].metadata["data_hash"]


def test_no_protected_attribute_is_a_feature_of(rows):
    from finml.models.base import get_model

    frame = pd.read_parquet(rows["training_rows"].path)
    assert {name for name in frame.columns if name.startswith("protected_")}
    assert get_model(MODEL).feature_service == "credit_risk_v1"
