import pandas as pd
import pytest

from finml.models.spending.series import Series
from tests.models.spending.months import daily, monthly, people, weekly


def test_the_last_months_are_held_out_for_everyone_and_for_users(model):
    rows = model.training_frame(pd.concat([monthly("groceries", 40), people(4, 40)]))
    kept, held_out = model.split(rows)
    assert len(kept) + len(held_out) == len(rows)
    for _, part in held_out.groupby(["series", "user_id"], dropna=False):
        assert [str(day)[:7] for day in part["ds"]] == ["2024-02", "2024-03", "2024-04"]


@pytest.mark.parametrize(("rows", "periods"), [(monthly("a", 40), 3), (weekly(60), 6), (daily(200), 28)])
def test_each_frequency_has_its_own_end(model, rows, periods):
    kept, held_out = model.split(model.training_frame(rows))
    assert len(held_out) == periods
    assert kept["ds"].max() < held_out["ds"].min()


@pytest.mark.parametrize(("months", "held_out"), [(1, 0), (4, 0), (5, 1), (12, 2), (15, 3)])
def test_a_short_series_keeps_most_of_its_months(model, months, held_out):
    kept, rest = model.split(model.training_frame(monthly("gifts", months)))
    assert (len(kept), len(rest)) == (months - held_out, held_out)


def test_irregular_days_are_never_cut_within_a_month(model):
    ds = pd.date_range("2023-01-02", periods=60, freq="13D")
    rows = model.training_frame(pd.DataFrame({"series": "fuel", "ds": ds, "y": 1.0}))
    kept, held_out = model.split(rows)
    assert not set(kept["ds"].dt.to_period("M")) & set(held_out["ds"].dt.to_period("M"))
    assert held_out["ds"].dt.to_period("M").nunique() == 3


def test_what_is_known_of_the_future_stays(model):
    rows = monthly("groceries", 40).assign(price=range(40))
    rows.loc[38:, "y"] = None
    kept, held_out = model.split(model.training_frame(rows))
    assert kept["y"].isna().sum() == 2
    assert held_out["y"].notna().all()
    assert len(Series.of("groceries", kept, ("price",)).regressor_dates) == 40


def test_later_rows_move_the_end_and_bring_no_trained_row_back(model):
    rows = model.training_frame(monthly("groceries", 40))
    early, _ = model.split(rows.head(36))
    _, held_out = model.split(rows)
    assert not set(early["ds"]) & set(held_out["ds"])
