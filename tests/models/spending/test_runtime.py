import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError, ModelError
from finml.models.spending.explain import sentences, turns
from finml.models.spending.personal import History

MONTHS = [f"2024-{month:02}" for month in range(4, 10)]


def test_a_forecast_begins_after_the_history_and_adds_up(predictor):
    for answer in predictor.forecast(None, 3):
        assert answer.subject == "population"
        assert answer.dates[0] == answer.series.coming(1)[0]
        assert (answer.low <= answer.yhat).all() and (answer.yhat <= answer.high).all()
        np.testing.assert_allclose(np.sum(list(answer.parts.values()), axis=0), answer.yhat, rtol=1e-9)


def test_no_forecast_of_spending_is_negative(predictor):
    for answer in predictor.forecast(None, 24):
        assert (answer.low >= 0).all()


def test_november_is_seen_coming(predictor):
    (answer,) = predictor.forecast("groceries", 12)
    by_month = dict(zip([str(day)[5:7] for day in answer.dates], answer.yhat, strict=True))
    assert by_month["11"] > 1.15 * by_month["12"]
    assert by_month["11"] > 1.2 * by_month["02"]


def test_a_start_moves_the_dates_and_not_the_values(predictor):
    (whole,) = predictor.forecast("groceries", 6)
    (later,) = predictor.forecast("groceries", 2, start=np.datetime64("2025-01-15"))
    assert [str(day) for day in later.dates] == ["2025-01-01", "2025-02-01"]
    np.testing.assert_allclose(later.yhat, whole.yhat[3:5])


def test_intervals_widen_with_the_horizon(predictor):
    (answer,) = predictor.forecast("groceries", 24)
    widths = answer.high - answer.yhat
    assert (np.diff(widths) >= -1e-9).all()
    assert widths[-1] > 2 * widths[0]
    assert "24 months after the training, of which 12 were tried on the past" in answer.notes


def test_a_user_s_own_history_moves_the_level(predictor):
    typical = predictor.pools["groceries"].typical
    spent = {"groceries": [3 * typical] * 6}
    (own,) = predictor.forecast("groceries", 3, history=History.of(MONTHS, spent))
    (new,) = predictor.forecast("groceries", 3, history=History.none())
    assert own.subject == new.subject == "user"
    assert new.pooling.weight == 0
    assert own.pooling.weight > 0.8
    assert (own.yhat > 2 * new.yhat).all()
    assert "the user has no history" in new.notes[-1]
    np.testing.assert_allclose(np.sum(list(own.parts.values()), axis=0), own.yhat)
    assert str(own.dates[0]) == "2024-10-01"


def test_a_category_without_spending_in_the_history_is_low(predictor):
    (answer,) = predictor.forecast("rent", 1, history=History.of(MONTHS, {"groceries": [9.0] * 6}))
    assert answer.yhat[0] < 0.1 * predictor.pools["rent"].typical


def test_months_before_the_user_came_do_not_count(predictor):
    stored = {"months": MONTHS, "spent": {"groceries": [0, 0, 0, 0, 50.0, 50.0]}, "month_to_date": {}}
    known = History.stored(json.dumps({**stored, "first_month": "2024-08"}))
    (answer,) = predictor.forecast("groceries", 1, history=known)
    assert answer.pooling.months == 2
    assert "2 complete months of history" in answer.notes[-1]
    assert len(History.stored(json.dumps({**stored, "first_month": None})).months) == 0
    assert len(History.stored(None).months) == 0


@pytest.mark.parametrize("year", ["2000", "2090"])
def test_months_outside_the_calendar_do_not_count(predictor, year):
    months = [f"{year}-{month:02}" for month in range(1, 7)]
    stored = {"months": months, "spent": {"groceries": [50.0] * 6}, "first_month": "1999-01"}
    answer, other = (
        predictor.forecast("groceries", 3, history=known)[0]
        for known in (History.stored(json.dumps(stored)), History.none())
    )
    assert answer.pooling.months == 0
    assert "6 months of history lie outside the model's calendar and were left out" in answer.notes
    if year == "2000":
        assert answer.yhat.tolist() == other.yhat.tolist()
    else:
        assert answer.dates[-1] == predictor.table.last.astype("datetime64[M]")
        assert "so the forecast begins with" in answer.notes[0]


def test_users_of_one_month_are_forecast_from_the_same_month_on(predictor):
    months = ["2025-01", "2025-02"]
    stored = {"months": months, "spent": {"groceries": [50.0, 50.0]}}
    texts = [json.dumps({**stored, "first_month": first}) for first in ("2024-01", "2025-03", None)]
    found = [predictor.forecast("groceries", 1, history=History.stored(text))[0] for text in texts]
    assert [str(one.dates[0]) for one in found] == ["2025-03-01"] * 3
    assert [one.pooling.months for one in found] == [2, 0, 0]
    (unknown,) = predictor.forecast("groceries", 1, history=History.stored(None))
    assert str(unknown.dates[0]) == "2024-10-01"
    assert "begins after the training; ask with a start for other months" in unknown.notes[0]


def test_without_other_users_the_own_history_counts_alone(predictor):
    (answer,) = predictor.forecast("dining", 2, history=History.of(MONTHS, {"dining": [80.0] * 6}))
    assert answer.subject == "user"
    assert answer.yhat == pytest.approx([80, 80], rel=0.4)
    (total,) = predictor.forecast("dining", 2, history=History.none())
    assert total.subject == "population"
    assert "this is the total of all" in total.notes[-1]


def test_rows_are_forecast_as_questions_are(predictor, parts):
    rows = parts[1][parts[1]["user_id"].isna()]
    found = predictor.predict(rows)
    assert (found.index == rows.index).all()
    (answer,) = predictor.forecast("groceries", 3)
    groceries = found[(rows["series"] == "groceries").to_numpy()]
    np.testing.assert_allclose(groceries["yhat"], answer.yhat)
    np.testing.assert_allclose(groceries["low"], answer.low)
    assert groceries["horizon"].tolist() == [1, 2, 3]


def test_a_row_of_a_user_uses_the_stored_history(predictor, parts):
    rows = parts[1][parts[1]["user_id"] == "u1"]
    stored = json.dumps(
        {"months": MONTHS, "spent": {"rent": [500.0] * 6}, "month_to_date": {}, "first_month": "2021-01"}
    )
    with_history = predictor.predict(rows.assign(spending=stored))
    without = predictor.predict(rows)
    rent = (rows["series"] == "rent").to_numpy()
    assert with_history["yhat"][rent].tolist() == pytest.approx([500] * 3, rel=0.05)
    assert (without["own"] == 0).all()
    assert (with_history["own"][rent] > 0.9).all()


def test_an_unknown_series_is_named(predictor, parts):
    with pytest.raises(DataError, match="the model knows no series 'moon', 'sun'"):
        predictor.predict(parts[1].head(2).assign(series=["sun", "moon"]))
    with pytest.raises(DataError, match="the model knows no series 'moon'") as caught:
        predictor.forecast("moon", 1)
    assert "groceries" in caught.value.hint


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        (("moon", 3, None), "category", "the model knows no series 'moon'; it knows: coffee"),
        (("groceries", 25, None), "horizon", "must be at most 24: groceries is forecast by the month"),
        ((None, 25, None), "horizon", "must be at most 24: a series is forecast by the month"),
        (("coffee", 366, None), "horizon", "must be at most 365: coffee is forecast by the day"),
        (("groceries", 3, "2024-09-30"), "start", "must lie from 2024-10-01, after the training, to 2"),
        (("groceries", 3, "2090-01-01"), "start", "for which the calendar is known"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_field(predictor, asked, field, words):
    category, horizon, start = asked
    found = predictor.refusal(category, horizon, np.datetime64(start) if start else None)
    assert found[0] == field
    assert words in found[1]


@pytest.mark.parametrize(("category", "horizon", "start"), [(None, 24, None), ("coffee", 365, "2026-01-05")])
def test_what_can_be_answered_is_not_refused(predictor, category, horizon, start):
    begin = np.datetime64(start) if start else None
    assert predictor.refusal(category, horizon, begin) is None
    assert predictor.forecast(category, horizon, start=begin)


def test_a_forecast_takes_milliseconds(predictor):
    seconds = []
    for _ in range(20):
        begun = time.process_time()
        predictor.forecast(None, 12)
        seconds.append(time.process_time() - begun)
    assert np.median(seconds) < 0.05


def test_serving_needs_neither_prophet_nor_stan(folder):
    code = (
        "import sys; from pathlib import Path; from finml.models.spending.runtime import SpendingPredictor\n"
        f"SpendingPredictor.load(Path({str(folder)!r})).forecast(None, 3)\n"
        "heavy = {'prophet', 'cmdstanpy', 'holidays', 'matplotlib', 'statsforecast'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_decomposition_is_told_in_words(predictor):
    (answer,) = predictor.forecast("groceries", 2)
    found = sentences(answer)
    assert found[0].startswith("The trend alone says 1,")
    assert any(words.startswith("The time of year") for words in found)
    own = predictor.forecast("groceries", 2, history=History.of(MONTHS, {"groceries": [40.0] * 6}))[0]
    assert "6 months of own history count" in sentences(own)[-1]


def test_a_trend_that_turned_has_a_changepoint(model, tmp_path):
    from finml.models.base import TrainOptions
    from tests.models.spending.months import monthly

    rows = monthly("groceries", 48, growth=0.0, noise=0.005)
    turned = rows.assign(y=rows["y"] * (1 + 0.03 * np.maximum(0, rows.index - 24)))
    model.train(model.training_frame(turned), tmp_path, TrainOptions(params={"processes": 1}))
    found = turns(model.load(tmp_path).series["groceries"])
    strongest = max(found, key=lambda turn: turn.after - turn.before)
    assert abs(pd.Timestamp(strongest.ds) - pd.Timestamp("2023-01-01")) < pd.Timedelta(days=150)
    assert turns(model.load(tmp_path).series["groceries"])[0].ds >= found[-1].ds


@pytest.mark.parametrize("file", ["series.json", "calendar.json", "model.json"])
@pytest.mark.parametrize("contents", [None, "", "{}", "[1]"])
def test_a_broken_folder_is_not_loaded(model, folder, tmp_path, file, contents):
    broken = tmp_path / "model"
    shutil.copytree(folder, broken)
    (broken / file).unlink() if contents is None else (broken / file).write_text(contents)
    with pytest.raises(ModelError, match="no usable spending model in"):
        model.load(broken)


def test_another_format_is_named(model, folder, tmp_path):
    other = tmp_path / "model"
    shutil.copytree(folder, other)
    info = json.loads((other / "model.json").read_text())
    (other / "model.json").write_text(json.dumps({**info, "format": 99}))
    with pytest.raises(ModelError, match="has format 99, this finml reads 1"):
        model.load(other)
