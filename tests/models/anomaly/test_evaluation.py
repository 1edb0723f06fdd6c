import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from finml.errors import DataError
from finml.models.anomaly.behaviour import OWN_FEATURES
from finml.models.anomaly.evaluation import LIFT, METRICS, Labelled, within_budget
from finml.models.base import TrainOptions
from finml.registry.gate import Gate, judge
from tests.models.anomaly.conftest import PARAMS


def test_every_figure_has_an_interval(evaluation):
    assert tuple(evaluation.metrics) == METRICS
    for figure in evaluation.metrics.values():
        assert 0 <= figure.low <= figure.value <= figure.high
    assert all(figure.high <= 1 for name, figure in evaluation.metrics.items() if name != LIFT)


def test_figures_are_those_of_scikit_learn(predictor, parts, evaluation):
    held_out = parts[1]
    score = predictor.predict(held_out)["score"]
    label = held_out["anomalous"]
    figures = {name: figure.value for name, figure in evaluation.metrics.items()}
    assert figures["auc"] == pytest.approx(roc_auc_score(label, score))
    assert figures["average_precision"] == pytest.approx(average_precision_score(label, score))
    assert figures["average_precision_lift"] == pytest.approx(figures["average_precision"] / label.mean())
    alerts = score.nlargest(int(np.ceil(predictor.budget * len(score)))).index
    assert figures["recall_at_budget"] == pytest.approx(label[alerts].sum() / label.sum())
    assert figures["precision_at_budget"] == pytest.approx(label[alerts].mean())


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.floats(0.5, 3)), min_size=4, max_size=60),
    st.sampled_from([0.02, 0.1, 0.3]),
    st.randoms(),
)
@settings(deadline=None)
def test_the_order_of_equal_scores_decides_nothing(rows, budget, random):
    def figures(drawn):
        score, label, weight = (np.array(column) for column in zip(*drawn, strict=True))
        found = Labelled(label.astype(bool), weight, None).figures(score / 4, budget)
        return {name: values[0] for name, values in found(np.ones((1, len(drawn)))).items()}

    shuffled = random.sample(rows, len(rows))
    assert figures(rows) == pytest.approx(figures(shuffled), nan_ok=True)


def test_rows_of_one_score_share_what_is_left_of_the_budget():
    looked_at = within_budget(np.ones((1, 10)), np.array([0, 4, 9]), 0.3)
    assert looked_at[0].tolist() == [1.0, *[0.5] * 4, *[0.0] * 5]
    alone = within_budget(np.array([[1.0, 2.0, 1.0, 1.0]]), np.arange(4), 0.3)
    assert alone[0].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_counts_and_shares(predictor, parts, evaluation):
    held_out, scalars = parts[1], evaluation.scalars
    assert scalars["n"] == len(held_out)
    assert scalars["users"] == held_out["user_id"].nunique()
    assert scalars["anomalies"] == held_out["anomalous"].sum()
    assert scalars["alert_share"] == pytest.approx(predictor.predict(held_out)["flagged"].mean())
    assert scalars["alert_share_ratio"] == pytest.approx(scalars["alert_share"] / 0.02)
    assert 0 < scalars["latency_p50_ms"] <= scalars["latency_p95_ms"]


def test_rows_count_as_often_as_they_stand_for_others(model, predictor, parts):
    usual = ~parts[1]["anomalous"].to_numpy()
    weighted = parts[1].assign(weight=np.where(usual, 3.0, 1.0))
    repeated = parts[1].loc[parts[1].index.repeat(np.where(usual, 3, 1))].reset_index(drop=True)
    one = model.evaluate(predictor, weighted, champion=None, seed=1)
    other = model.evaluate(predictor, repeated, champion=None, seed=1)
    for name in METRICS:
        assert one.metrics[name].value == pytest.approx(other.metrics[name].value, abs=0.02), name
    for name in ("base_rate", "alert_share"):
        assert one.scalars[name] == pytest.approx(other.scalars[name])


def test_the_breakdown_is_by_kind_and_category(parts, evaluation):
    kinds = evaluation.breakdown["kind"]
    assert set(kinds) == set(parts[1]["anomaly_kind"].dropna())
    assert sum(kind["n"] for kind in kinds.values()) == parts[1]["anomalous"].sum()
    total = sum(kind["n"] * kind["recall_at_budget"] for kind in kinds.values())
    expected = evaluation.metrics["recall_at_budget"].value * parts[1]["anomalous"].sum()
    assert total == pytest.approx(expected)
    assert sum(part["n"] for part in evaluation.breakdown["category"].values()) == len(parts[1])


def test_the_same_seed_gives_the_same_figures(model, predictor, parts, evaluation):
    assert model.evaluate(predictor, parts[1], champion=None, seed=5).metrics == evaluation.metrics


def test_a_model_does_not_differ_from_itself(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=5)
    assert set(found.versus_champion) == set(METRICS)
    assert {delta.value for delta in found.versus_champion.values()} == {0}


def test_a_worse_challenger_loses_against_the_champion(model, predictor, parts, tmp_path):
    noise = np.random.default_rng(0).exponential(1, (len(parts[0]), len(OWN_FEATURES)))
    model.train(
        parts[0].assign(**dict(zip(OWN_FEATURES, noise.T, strict=True))),
        tmp_path,
        TrainOptions(params=PARAMS),
    )
    found = model.evaluate(model.load(tmp_path), parts[1], champion=predictor, seed=5)
    assert found.versus_champion["average_precision"].high < 0


@pytest.mark.parametrize("outcome", [True, False])
def test_without_both_outcomes_quality_is_not_measured(model, predictor, parts, outcome):
    frame = parts[1][parts[1]["anomalous"] == outcome]
    found = model.evaluate(predictor, frame, champion=predictor, seed=1)
    assert found.metrics == found.versus_champion == {}
    assert found.scalars["alert_share"] >= 0
    assert found.scalars["base_rate"] == outcome


def test_a_table_is_measured_too(model, table_predictor, table_parts):
    found = model.evaluate(table_predictor, table_parts[1], champion=None, seed=1)
    assert set(found.metrics) == set(METRICS)
    assert found.metrics["auc"].value > 0.9
    assert found.breakdown == {}


def test_a_champion_of_another_kind_cannot_be_measured(model, predictor, parts, table_predictor, table_parts):
    on_payments = model.evaluate(predictor, parts[1], champion=table_predictor, seed=1)
    assert on_payments.incomparable == "it was trained on a table, and these rows are of transactions"
    on_numbers = model.evaluate(table_predictor, table_parts[1], champion=predictor, seed=1)
    assert on_numbers.incomparable == "it was trained on transactions, and these rows are of a table"
    for found in (on_payments, on_numbers):
        assert found.versus_champion == {}
        assert set(found.metrics) == set(METRICS)
        verdict = judge(Gate.load(model.gate), found.model_copy(update={"champion": "anomaly@1"}))
        assert verdict.approval == "human"
        assert not any("champion's" in check.name for check in verdict.checks if not check.passed)
    said = f"Not compared with anomaly@1: {on_payments.incomparable}."
    on_payments = on_payments.model_copy(update={"champion": "anomaly@1"})
    assert said in model.report(predictor, parts[1], on_payments)
    assert said in model.card(predictor, on_payments, {})


def test_a_champion_of_other_columns_cannot_be_measured(model, table_predictor, table_parts, tmp_path):
    wider = [part.assign(e=part["a"] + 1) for part in table_parts]
    model.train(wider[0], tmp_path, TrainOptions(params=PARAMS))
    challenger = model.load(tmp_path)
    narrow = model.evaluate(table_predictor, table_parts[1], champion=challenger, seed=1)
    assert narrow.incomparable == "it needs columns that these rows lack: e"
    assert narrow.versus_champion == {}
    # the rows of the challenger hold all that this champion needs
    wide = model.evaluate(challenger, wider[1], champion=table_predictor, seed=1)
    assert wide.incomparable == ""
    assert set(wide.versus_champion) == set(METRICS)


def test_no_row_is_an_error(model, predictor, parts):
    with pytest.raises(DataError, match="no row to evaluate"):
        model.evaluate(predictor, parts[1].head(0), champion=None, seed=1)
