import os
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.anomaly import by_kind, measured, payments, plain_scores, raw_columns, trained
from benchmarks.injections import inject
from finml.registry.gate import Gate, judge

pytestmark = [pytest.mark.realdata, pytest.mark.slow, pytest.mark.xdist_group("realdata")]


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("FINML_TEST_DATA")
    if not folder:
        pytest.skip("FINML_TEST_DATA names no folder with the public data sets")
    return Path(folder)


def test_injected_anomalies_are_found_far_better_than_by_the_raw_columns(model, data, tmp_path):
    table = payments(data / "birmingham_purchase_cards" / "transactions.csv.gz", seed=1)
    third = pd.util.hash_array(table["user_id"].to_numpy(dtype=object), categorize=False) % 3 == 0
    inject(table[third].reset_index(drop=True), 60, 1).to_parquet(tmp_path / "payments.parquet")
    kept, held_out = model.split(model.training_frame(model.read(tmp_path / "payments.parquet")))
    predictor = trained(kept, tmp_path / "model", seed=1)
    found = model.evaluate(predictor, held_out, champion=None, seed=1)
    raw = plain_scores(raw_columns(kept), raw_columns(held_out), 1)
    assert (
        found.metrics["average_precision"].value > 2 * measured(held_out, raw, 1)["average_precision"].value
    )
    assert found.metrics["auc"].low > 0.85
    # a payment made twice has nothing unusual in its columns
    assert by_kind(held_out, raw)["duplicate"]["auc"] < 0.75
    assert found.breakdown["kind"]["duplicate"]["auc"] > 0.9
    assert judge(Gate.load(model.gate), found).approved
