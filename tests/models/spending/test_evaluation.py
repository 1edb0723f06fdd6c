import json

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError
from finml.models.base import TrainOptions, get_model
from finml.registry.gate import Gate, judge
from tests.models.spending.months import daily, monthly

COMPARED = {"mase", "smape", "coverage_80"}
METRICS = COMPARED | {"naive_ratio"}


def test_every_figure_has_an_interval(evaluation):
    assert set(evaluation.metrics) == METRICS | {"user_error_ratio", "user_coverage_80"}
    for figure in evaluation.metrics.values():
        assert figure.low <= figure.value <= figure.high


def test_figures_are_of_the_model_s_forecasts(predictor, parts, evaluation):
    rows = parts[1][parts[1]["user_id"].isna()]
    found = predictor.predict(rows)
    error = np.abs(rows["y"] - found["yhat"])
    scale = rows["series"].map({name: one.naive_error for name, one in predictor.series.items()})
    assert evaluation.metrics["mase"].value == pytest.approx((error / scale).mean())
    smape = (2 * error / (rows["y"].abs() + found["yhat"].abs())).fillna(0).mean()
    assert evaluation.metrics["smape"].value == pytest.approx(smape)
    inside = rows["y"].between(found["low"], found["high"]).mean()
    assert evaluation.metrics["coverage_80"].value == pytest.approx(inside)
    assert evaluation.scalars["n"] == len(rows)
    assert evaluation.scalars["left_out"] == 0
    assert 0 < evaluation.scalars["latency_p50_ms"] <= evaluation.scalars["latency_p95_ms"]


def test_figures_are_told_by_series_and_horizon(parts, evaluation):
    rows = parts[1][parts[1]["user_id"].isna()]
    by_series = evaluation.breakdown["series"]
    assert {name: figures["n"] for name, figures in by_series.items()} == rows[
        "series"
    ].value_counts().to_dict()
    assert list(evaluation.breakdown["horizon"])[:4] == ["1", "2", "3", "4"]
    whole = sum(figures["mase"] * figures["n"] for figures in by_series.values()) / len(rows)
    assert evaluation.metrics["mase"].value == pytest.approx(whole)


def test_rows_of_the_training_are_left_out_and_counted(model, predictor, parts, evaluation):
    everyone = [part[part["user_id"].isna()] for part in parts]
    found = model.evaluate(predictor, pd.concat(everyone), champion=None, seed=5)
    assert found.scalars["left_out"] == len(everyone[0])
    assert found.metrics["mase"].value == pytest.approx(evaluation.metrics["mase"].value)


def test_only_rows_of_the_training_are_an_error(model, predictor, parts):
    with pytest.raises(DataError, match="is after the training, which ends with 2024-12-01"):
        model.evaluate(predictor, parts[0], champion=None, seed=5)


def test_users_with_their_history_are_forecast_better(model, predictor, parts):
    users = parts[1]["user_id"].notna()
    past = parts[0][parts[0]["user_id"].notna() & (parts[0]["ds"] >= "2024-04-01")]
    stored = {
        user: json.dumps(
            {
                "months": [f"2024-{month:02}" for month in range(4, 10)],
                "spent": {name: part["y"].tolist() for name, part in rows.groupby("series")},
                "month_to_date": {},
                "first_month": "2021-01",
            }
        )
        for user, rows in past.groupby("user_id")
    }
    rows = parts[1].assign(spending=parts[1]["user_id"].map(stored))
    found = model.evaluate(predictor, rows, champion=None, seed=5)
    assert found.metrics["user_error_ratio"].high < 0.5
    assert 0.7 < found.metrics["user_coverage_80"].value < 0.9
    assert found.scalars["user_rows"] == users.sum()


def test_the_same_seed_gives_the_same_figures(model, predictor, parts, evaluation):
    again = model.evaluate(predictor, parts[1], champion=None, seed=5)
    assert again.metrics == evaluation.metrics
    assert again.breakdown == evaluation.breakdown


def test_a_model_does_not_differ_from_itself(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=5)
    assert {name: delta.value for name, delta in found.versus_champion.items()} == dict.fromkeys(COMPARED, 0)


def test_a_champion_that_knows_fewer_series_is_compared_on_those(model, predictor, parts, tmp_path):
    few = parts[0][(parts[0]["series"] == "groceries") & parts[0]["user_id"].isna()]
    model.train(few.head(36), tmp_path, TrainOptions(params={"processes": 1}))
    found = model.evaluate(predictor, parts[1], champion=model.load(tmp_path), seed=5)
    assert found.versus_champion["mase"].value < 0
    assert found.incomparable == ""


QUICK = TrainOptions(params={"processes": 1})


def earlier(rows: pd.DataFrame, years: int) -> pd.DataFrame:
    return rows.assign(ds=rows["ds"] - pd.DateOffset(years=years))


@pytest.mark.parametrize(
    ("years", "why"),
    [
        (-3, "no row is after the champion's training, which ends with 2025-12-01"),
        (12, "the champion's calendar ends with 2016-12-31, before these rows"),
    ],
)
def test_a_champion_of_other_years_is_not_compared(parts, predictor, tmp_path, years, why):
    model = get_model("spending")
    old = earlier(monthly("groceries", 24), years)
    model.train(model.training_frame(old), tmp_path, QUICK)
    found = model.evaluate(predictor, parts[1], champion=model.load(tmp_path), seed=5)
    assert found.versus_champion == {}
    assert found.incomparable == why


def test_rows_of_the_champion_s_own_training_are_not_compared(model, parts, tmp_path):
    groceries = parts[0][(parts[0]["series"] == "groceries") & parts[0]["user_id"].isna()]
    model.train(groceries.head(24), tmp_path / "new", QUICK)
    model.train(groceries.head(36), tmp_path / "champion", QUICK)
    new, champion = model.load(tmp_path / "new"), model.load(tmp_path / "champion")
    later = groceries[24:42]
    found = model.evaluate(new, later, champion=champion, seed=5)
    unseen = model.evaluate(new, later.tail(6), champion=champion, seed=5)
    assert found.scalars["n"] == 18
    assert found.versus_champion["mase"].value == pytest.approx(unseen.versus_champion["mase"].value)
    inside = model.evaluate(new, later.head(12), champion=champion, seed=5)
    assert inside.incomparable == "no row is after the champion's training, which ends with 2023-12-01"


def test_a_champion_by_the_day_is_not_compared_with_months(model, predictor, parts, tmp_path):
    rows = daily(150).assign(series="groceries")
    model.train(model.training_frame(rows), tmp_path, QUICK)
    groceries = parts[1][(parts[1]["series"] == "groceries") & parts[1]["user_id"].isna()]
    found = model.evaluate(predictor, groceries, champion=model.load(tmp_path), seed=5)
    assert found.incomparable == "the champion forecasts these series by other periods"


def test_a_champion_of_other_series_is_left_to_a_person(model, predictor, parts, tmp_path):
    model.train(model.training_frame(monthly("pets", 5)), tmp_path, QUICK)
    found = model.evaluate(predictor, parts[1], champion=model.load(tmp_path), seed=5)
    assert (found.versus_champion, found.incomparable) == ({}, "the champion knows none of these series")
    verdict = judge(Gate.load(model.gate), found)
    assert not any(check.name.endswith("the champion's") and not check.passed for check in verdict.checks)


def test_rows_of_one_period_are_added_up_as_in_training(model, predictor, parts, evaluation):
    once = parts[1]
    halves = pd.concat([once.assign(y=once["y"] / 2)] * 2)
    later = halves["series"].isin(["groceries", "dining"])
    halves.loc[later, "ds"] = halves.loc[later, "ds"] + pd.Timedelta(days=3)
    found = model.evaluate(predictor, halves, champion=None, seed=5)
    for name, figure in evaluation.metrics.items():
        assert found.metrics[name].value == pytest.approx(figure.value)
    assert found.scalars["n"] == evaluation.scalars["n"]
    assert found.scalars["user_rows"] == evaluation.scalars["user_rows"]


def test_rows_long_before_the_training_are_left_out(model, predictor, parts):
    found = model.evaluate(predictor, pd.concat([earlier(parts[1], 40), parts[1]]), champion=None, seed=5)
    assert found.scalars["left_out"] == len(parts[1])


def test_one_series_and_one_row_are_measured_as_far_as_they_go(model, predictor, parts):
    rows = parts[1][(parts[1]["series"] == "groceries") & parts[1]["user_id"].isna()]
    assert set(model.evaluate(predictor, rows, champion=None, seed=1).metrics) == METRICS
    assert model.evaluate(predictor, rows.head(1), champion=None, seed=1).scalars["n"] == 1


def test_an_unknown_series_is_an_error(model, predictor, parts):
    with pytest.raises(DataError, match="knows no series 'moon'"):
        model.evaluate(predictor, parts[1].assign(series="moon"), champion=None, seed=1)
