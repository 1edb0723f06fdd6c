import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError
from finml.models.anomaly.sampling import HELD_OUT
from tests.models.anomaly.payments import numbers


def test_no_user_is_in_both_parts(parts, frame):
    kept, held_out = parts
    assert not set(kept["user_id"]) & set(held_out["user_id"])
    assert len(kept) + len(held_out) == len(frame)


def test_a_user_stays_where_it_is_whatever_comes_or_goes(model, frame, parts):
    half = frame[frame["user_id"] < "user-0-025"]
    _, held_out = model.split(half)
    assert set(held_out["user_id"]) == set(parts[1]["user_id"]) & set(half["user_id"])


def test_the_last_rows_of_a_table_with_times_are_held_out(model, table_parts):
    kept, held_out = table_parts
    assert kept["row_time"].max() < held_out["row_time"].min()
    assert len(held_out) == pytest.approx(HELD_OUT * 4000, abs=1)


@pytest.mark.parametrize("step", [100, 1500, 3500])
def test_rows_of_one_moment_are_in_one_part(model, step):
    table = numbers(4000, anomalies=60).rename(columns={"Class": "anomalous"})
    table = table.drop(columns="Time").assign(row_time=np.arange(4000) // step)
    frame = model.training_frame(table.sample(frac=1, random_state=1).reset_index(drop=True))
    kept, held_out = model.split(frame)
    assert kept["row_time"].max() < held_out["row_time"].min()
    assert len(kept) + len(held_out) == 4000


def test_rows_of_one_moment_alone_cannot_be_split(model):
    frame = model.training_frame(
        numbers(300, anomalies=6)
        .rename(columns={"Class": "anomalous", "Time": "row_time"})
        .assign(row_time=1.0)
    )
    with pytest.raises(DataError, match="too few users or rows"):
        model.split(frame)


def test_rows_of_a_table_without_times_are_held_out_by_hash(model):
    table = numbers(2000, anomalies=20).drop(columns="Time").rename(columns={"Class": "anomalous"})
    frame = model.training_frame(table)
    _, held_out = model.split(frame)
    assert len(held_out) / len(frame) == pytest.approx(HELD_OUT, abs=0.04)
    _, again = model.split(model.training_frame(table.sample(500, random_state=1)))
    whole = pd.util.hash_pandas_object(held_out[["a", "b", "c", "d"]], index=False)
    part = pd.util.hash_pandas_object(again[["a", "b", "c", "d"]], index=False)
    assert set(part) <= set(whole)


def test_one_user_cannot_be_split(model, frame):
    with pytest.raises(DataError, match="too few users"):
        model.split(frame[frame["user_id"] == frame["user_id"].iloc[0]])
