import random

import numpy as np
import pandas as pd
import pytest

from finml.errors import ModelError
from finml.models.base import get_model
from finml.models.spending import spine as spines
from finml.models.spending.contract import SpendingInput


def test_it_says_what_it_is(model):
    assert model.feature_service == "spending_v1"
    assert model.binary is None
    assert model.missing_weights() == ()


def test_an_example_is_a_question(model):
    first, again = (model.example(random.Random(1), ["u1", "u2"]) for _ in range(2))  # noqa: S311
    assert SpendingInput.model_validate(first).user_id in {"u1", "u2"}
    assert first == again


def test_a_model_takes_only_its_own_predictors(model):
    with pytest.raises(ModelError, match="object is not a spending model"):
        model.card(object(), None, {})
    assert get_model("spending") is model


def test_a_spine_has_a_moment_for_each_month_and_no_user_for_everyone(model, monkeypatch, tmp_path):
    from finml.features import labels

    months = pd.DataFrame(
        {"series": "rent", "user_id": [None, "u1"], "ds": pd.to_datetime(["2024-05-01"] * 2), "y": np.ones(2)}
    )
    monkeypatch.setattr(labels, "spending_spine", lambda tables: months)
    rows = spines.spine(tmp_path)
    assert rows["user_id"].tolist() == ["", "u1"]
    assert rows["event_timestamp"].tolist() == [pd.Timestamp("2024-05-01", tz="UTC")] * 2
    assert model.training_frame(rows)["user_id"].isna().tolist() == [True, False]
