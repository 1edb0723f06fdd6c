"""The HTTP answers of `anomaly` where it was trained on a table: it takes the table's columns."""

import pytest

from bentos.anomaly import API, ServedAnomalyInput
from finml.models.anomaly.contract import AnomalyInput, Served
from finml.models.base import TrainOptions, get_model
from tests.bentos.alone import alone
from tests.bentos.test_anomaly_api import PARAMS, PAYMENT
from tests.models.anomaly.payments import numbers

pytestmark = pytest.mark.xdist_group("bento")

ROW = {"a": 0.1, "b": 0.1, "c": 0.2, "d": None}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    model, home = get_model("anomaly"), tmp_path_factory.mktemp("table")
    numbers(1500, anomalies=20).to_csv(home / "table.csv")
    rows = model.training_frame(model.read(home / "table.csv"))
    model.train(rows, home / "model", TrainOptions(seed=3, params=PARAMS))
    with alone(API, home / "model", home) as served:
        yield served


def test_a_row_is_answered_without_a_store(served):
    usual, odd = served.ask({"values": ROW}, {"values": ROW | {"b": -3.0}}, action="explain").json()
    assert not usual["flagged"]
    assert odd["flagged"]
    assert (odd["history"], odd["feature_status"]) == ("none", "not_used")
    assert odd["reasons"][0]["topic"] in {"a", "b"}
    assert served.client.get("/readyz").status_code == 200


def test_what_one_process_serves_is_no_matter_of_the_contract(served):
    assert set(ServedAnomalyInput.served.columns) == set(ROW)
    assert AnomalyInput.served == Served()


@pytest.mark.parametrize(
    ("asked", "pointer", "words"),
    [
        ({"values": {"a": 1.0}}, "/values", "lacks columns of the model: b, c, d"),
        ({"values": ROW | {"x": 1.0}}, "/values", "has columns that the model does not know: 'x'"),
        ({"values": ROW | {"a": "one"}}, "/values/a", "Input should be a valid number"),
        ({"values": ROW | {"a": "1"}}, "/values/a", "Input should be a valid number"),
        ({"values": ROW | {"a": 1e31}}, "/values/a", "Input should be less than or equal to 1"),
        ({"values": ROW, "user_id": "u"}, "", "only values is taken"),
        (PAYMENT, "", "values is needed"),
    ],
)
def test_what_is_no_row_of_the_table_is_named(served, asked, pointer, words):
    answer = served.ask(asked)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["pointer"] == f"#/inputs/0{pointer}"
    assert words in error["detail"]
