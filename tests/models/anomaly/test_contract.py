import random
from datetime import UTC, datetime, timedelta

import jsonschema_rs
import pytest
from pydantic import ValidationError

from finml.models.anomaly.contract import AnomalyInput, Served

NOW = datetime.now(UTC)
PAYMENT = {"occurred_at": "2025-06-15T18:30:00+05:30", "amount": 250.0, "category": "dining"}


class TableInput(AnomalyInput):
    served = Served("table", ("a", "b"), ())


def refused(change: dict, kind: type[AnomalyInput] = AnomalyInput, base: dict = PAYMENT) -> str:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate({**base, **change})
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def test_a_payment_needs_time_amount_and_category_only():
    asked = AnomalyInput.model_validate(PAYMENT).transaction()
    assert (asked.amount, asked.category, asked.merchant) == (250.0, "dining", None)
    assert asked.occurred_at == datetime(2025, 6, 15, 13, tzinfo=UTC).timestamp()


def test_an_example_is_a_valid_request(model):
    rng = random.Random(1)  # noqa: S311
    for _ in range(200):
        asked = AnomalyInput.model_validate(model.example(rng, ["u1", "u2"]))
        assert asked.user_id in {"u1", "u2"}
    one, other = (model.example(random.Random(5), ["u"]) for _ in range(2))  # noqa: S311
    assert one == other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": None}, ": Value error, amount is needed"),
        ({"amount": None, "category": None}, ": Value error, amount, category are needed"),
        ({"amount": -1.0}, "amount: Input should be greater than or equal to 0.01"),
        ({"amount": "250"}, "amount: Input should be a valid number"),
        ({"occurred_at": "2025-06-15T18:30:00"}, "occurred_at: Input should have timezone info"),
        (
            {"occurred_at": (NOW + timedelta(days=2)).isoformat()},
            "occurred_at: Value error, must not be more than a day in the future",
        ),
        ({"occurred_at": "1850-01-01T00:00:00Z"}, "occurred_at: Value error, must not be before 1900"),
        (
            {"values": {"a": 1.0}},
            ": Value error, values is not taken: the model that is served was trained on",
        ),
        ({"merchant": "a\nb"}, "merchant: Value error, must not hold control characters"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, words):
    assert refused(change).startswith(words)


def test_an_unknown_category_is_told_the_known_ones():
    assert refused({"category": "yachts"}).startswith("category: Value error, is not one of salary, ")


def test_a_table_s_model_takes_its_columns_and_nothing_else():
    asked = TableInput.model_validate({"values": {"a": 1.0, "b": None}})
    assert asked.values == {"a": 1.0, "b": None}
    assert "values: Value error, lacks columns of the model: b" in refused(
        {"values": {"a": 1.0}}, TableInput, {}
    )
    unknown = refused({"values": {"a": 1.0, "b": 1.0, "x": 1.0}}, TableInput, {})
    assert unknown == "values: Value error, has columns that the model does not know: 'x'"
    assert "values is needed" in refused({}, TableInput)
    assert "only values is taken" in refused({"values": {"a": 1.0, "b": 1.0}}, TableInput)
    with pytest.raises(ValueError, match="no transaction"):
        asked.transaction()


@pytest.mark.parametrize(
    ("kind", "asked", "fits"),
    [
        (AnomalyInput, PAYMENT, True),
        (AnomalyInput, PAYMENT | {"category": "yachts"}, False),
        (AnomalyInput, PAYMENT | {"amount": None}, False),
        (AnomalyInput, PAYMENT | {"merchant": "a\nb"}, False),
        (AnomalyInput, {"values": {"a": 1.0, "b": 1.0}}, False),
        (TableInput, {"values": {"a": 1.0, "b": None}}, True),
        (TableInput, {"values": {"a": 1.0}}, False),
        (TableInput, {"values": {"a": 1.0, "b": 1.0, "x": 1.0}}, False),
        (TableInput, PAYMENT, False),
    ],
)
def test_the_schema_says_what_the_model_that_is_served_takes(kind, asked, fits):
    assert jsonschema_rs.Draft202012Validator(kind.model_json_schema()).is_valid(asked) is fits
