import dataclasses

import numpy as np
import pandas as pd
import pytest

from finml.features.engine import duckdb_engine
from finml.features.transaction_habits import transaction_habits
from finml.models.anomaly.behaviour import OWN_FEATURES
from finml.models.anomaly.runtime import AnomalyPredictor
from finml.models.base import TrainOptions
from finml.registry.gate import Gate, judge
from tests.models.anomaly.conftest import PARAMS

AMOUNTS = ("amount_vs_own", "amount_vs_category", "amount_vs_merchant", "novel_amount", "spent_24h")

UNRANKED = {
    "average_precision_lift",
    "the low end of average_precision_lift",
    "auc",
    "recall_at_budget",
}
FORGETFUL = {
    "alert_share_ratio",
    "average_precision less the champion's",
    "the low end of average_precision less the champion's",
    "recall_at_budget less the champion's",
}


@pytest.fixture(scope="module")
def gate(model) -> Gate:
    return Gate.load(model.gate)


def failed(verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


def test_a_sound_model_is_approved(gate, evaluation):
    verdict = judge(gate, evaluation)
    assert verdict.approved, verdict.summary


def test_shuffled_labels_are_rejected(model, gate, predictor, parts):
    shuffled = parts[1].assign(anomalous=np.random.default_rng(1).permutation(parts[1]["anomalous"]))
    verdict = judge(gate, model.evaluate(predictor, shuffled, champion=None, seed=1))
    assert failed(verdict) == UNRANKED


def test_a_model_that_learnt_from_noise_is_rejected(model, gate, parts, tmp_path):
    random = np.random.default_rng(1)
    noise = {name: random.exponential(1, len(parts[0])) for name in OWN_FEATURES}
    model.train(parts[0].assign(**noise), tmp_path, TrainOptions(params=PARAMS))
    verdict = judge(gate, model.evaluate(model.load(tmp_path), parts[1], champion=None, seed=1))
    assert failed(verdict) == {"auc", "alert_share_ratio"}


@pytest.mark.parametrize("threshold", [0.9, 0.9999])
def test_a_moved_threshold_is_rejected(model, gate, parts, threshold, folder):
    moved = AnomalyPredictor.load(folder)
    moved.threshold = threshold
    verdict = judge(gate, model.evaluate(moved, parts[1], champion=None, seed=1))
    assert failed(verdict) == {"alert_share_ratio"}


def test_reversed_scores_are_rejected(model, gate, parts, folder):
    reversed_ = AnomalyPredictor.load(folder)
    heads = {
        name: dataclasses.replace(head, weights=-head.weights)
        for name, head in reversed_.detector.heads.items()
    }
    reversed_.detector = dataclasses.replace(reversed_.detector, heads=heads)
    verdict = judge(gate, model.evaluate(reversed_, parts[1], champion=None, seed=1))
    assert failed(verdict) == UNRANKED | {"alert_share_ratio"}


def test_without_labels_nothing_is_approved(model, gate, predictor, parts):
    unlabelled = parts[1].assign(anomalous=False, anomaly_kind=None)
    verdict = judge(gate, model.evaluate(predictor, unlabelled, champion=None, seed=1))
    assert failed(verdict) == UNRANKED | {"anomalies"}
    assert "anomalies is 0, below 30" in verdict.summary
    assert "auc is missing from the evaluation" in verdict.summary


def test_ten_anomalies_prove_nothing(model, gate, predictor, parts):
    frame = parts[1].drop(parts[1].index[parts[1]["anomalous"]][10:])
    verdict = judge(gate, model.evaluate(predictor, frame, champion=None, seed=1))
    assert failed(verdict) == {"anomalies"}


def test_an_equal_challenger_may_replace_the_champion(model, gate, predictor, parts):
    verdict = judge(gate, model.evaluate(predictor, parts[1], champion=predictor, seed=1))
    assert verdict.approved, verdict.summary


class Forgetful(AnomalyPredictor):
    """A model that does not get to see amounts."""

    def predict(self, frame):
        return super().predict(frame.assign(amount=1.0, **dict.fromkeys(AMOUNTS, 0.0)))


def test_a_challenger_that_lost_features_is_rejected(model, gate, predictor, parts, folder):
    challenger = Forgetful.load(folder)
    verdict = judge(gate, model.evaluate(challenger, parts[1], champion=predictor, seed=1))
    assert failed(verdict) == FORGETFUL


def seeing_themselves(model, frame: pd.DataFrame) -> pd.DataFrame:
    """Transactions whose habits were read a moment too late, and hold the transaction itself."""
    times = frame["occurred_at"].dt.tz_localize(None)
    moved = frame[["user_id", "category", "merchant"]].assign(
        occurred_at=times,
        known_at=times,
        amount_minor=(frame["amount"] * 100).round().astype("int64"),
        direction="debit",
    )
    asked = frame.assign(event_timestamp=times.dt.ceil("s"))
    keys = asked[["user_id", "event_timestamp"]].drop_duplicates(ignore_index=True)
    with duckdb_engine() as backend:
        movements = backend.create_table("movements", moved.astype({"merchant": "string"}))
        habits = transaction_habits(movements, backend.create_table("asked", keys)).to_pandas()
    honest = [*OWN_FEATURES, "history"]
    leaked = asked.drop(columns=honest).merge(habits, on=["user_id", "event_timestamp"])
    return model.training_frame(leaked.drop(columns="event_timestamp"))


def test_transactions_that_see_themselves_are_rejected(model, gate, predictor, parts):
    leaked = seeing_themselves(model, parts[1])
    assert len(leaked) == len(parts[1])
    verdict = judge(gate, model.evaluate(predictor, leaked, champion=None, seed=1))
    assert failed(verdict) == {"alert_share_ratio"}


def test_a_challenger_that_learnt_from_its_labels_is_rejected(model, gate, predictor, parts, tmp_path):
    leaked = dict.fromkeys(AMOUNTS[:4], np.where(parts[0]["anomalous"], 10.0, 0.0))
    model.train(parts[0].assign(**leaked), tmp_path, TrainOptions(seed=3, params=PARAMS))
    verdict = judge(gate, model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=1))
    assert failed(verdict) == {
        "average_precision less the champion's",
        "the low end of average_precision less the champion's",
    }
