from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError
from tests.models.spending.months import monthly


def written(frame: pd.DataFrame, folder: Path, name: str = "rows.csv") -> Path:
    file = folder / name
    frame.to_parquet(file, index=False) if file.suffix == ".parquet" else frame.to_csv(file, index=False)
    return file


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_is_read_whatever_its_columns_are_called(model, tmp_path, kind):
    rows = monthly("groceries", 24)[["series", "ds", "y"]]
    names = {"series": "Category", "ds": "month", "y": "y_nzd_million"}
    given = rows.rename(columns=names).assign(Series_reference="ECTM.S19A1")
    frame = model.read(written(given, tmp_path, f"rows.{kind}"))
    assert list(frame.columns) == ["series", "ds", "y", "user_id"]
    assert frame["ds"].tolist() == rows["ds"].tolist()
    assert frame["y"].tolist() == pytest.approx(rows["y"].tolist())
    assert frame["user_id"].isna().all()


def test_users_and_numeric_columns_are_kept(model, tmp_path):
    rows = monthly("groceries", 12).assign(user_id="7", price_index=np.arange(12.0), remark="x")
    frame = model.read(written(rows, tmp_path))
    assert set(frame.columns) == {"series", "user_id", "ds", "y", "price_index"}
    assert set(frame["user_id"]) == {"7"}


def test_months_without_day_and_times_with_zone_are_days(model):
    rows = pd.DataFrame({"series": "a", "ds": ["2026-05", "2026-06-01T00:00:00+00:00"], "y": [1, 2]})
    frame = model.training_frame(rows)
    assert frame["ds"].tolist() == [pd.Timestamp("2026-05-01"), pd.Timestamp("2026-06-01")]


def test_an_empty_user_id_means_everyone(model):
    rows = monthly("groceries", 3).assign(user_id=["", None, "u1"])
    assert model.training_frame(rows)["user_id"].isna().tolist() == [True, True, False]


GOOD = monthly("groceries", 3)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (GOOD.drop(columns="y"), "columns are missing from the rows of spending: y"),
        (GOOD.head(0), "there is no row of spending"),
        (GOOD.assign(series=None), "series is empty in 3 rows"),
        (GOOD.assign(y=np.nan), "y is empty in every row"),
        (GOOD.assign(y=np.inf), r"y: must be finite and below 1e15 \(3 rows: inf\)"),
        (GOOD.assign(y="much"), "y: .*much"),
        (GOOD.assign(ds="01/02/2026"), "ds holds something that is no date"),
        (GOOD.assign(ds=20260501), "ds holds numbers"),
        (GOOD.assign(ds="1815-06-18"), r"ds: must lie from 1970 to 2100 \(3 rows"),
        (GOOD.assign(series="a\x00b"), r"series: must not hold control characters \(3 rows"),
        (GOOD.assign(series="x" * 65), r"series: str_length\(1, 64\) \(3 rows"),
        (
            GOOD.assign(**{f"r{k}": 1.0 for k in range(21)}),
            "there are 21 numeric columns beside y, more than 20",
        ),
        (
            pd.concat([GOOD.assign(series=f"s{k}") for k in range(1001)]),
            "there are 1,001 series, more than 1,000",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(model, frame, words):
    with pytest.raises(DataError, match=words) as caught:
        model.training_frame(frame)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"ds": "when"}, "has no column for ds"),
        ({"series": "what"}, "has no column for series"),
        ({"y": "cost"}, "has no column for y"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(model, tmp_path, columns, words):
    with pytest.raises(DataError, match=words) as caught:
        model.read(written(GOOD.rename(columns=columns), tmp_path))
    assert next(iter(columns.values())) in caught.value.hint


def test_two_columns_that_could_be_the_value_are_an_error(model, tmp_path):
    rows = GOOD.rename(columns={"y": "y_gbp"}).assign(amount_net=1.0)
    with pytest.raises(DataError, match="several columns that could be y: y_gbp, amount_net"):
        model.read(written(rows, tmp_path))


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("rows.txt", b"series,ds,y\n", r"is a \.txt file"),
        ("rows.csv", b"", "cannot be read"),
        ("rows.csv", b"series,ds,y\n\xff\xfe,2026-05-01,1\n", "cannot be read"),
        ("rows.parquet", b"PAR1", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(model, tmp_path, name, contents, words):
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(DataError, match=words):
        model.read(tmp_path / name)
