import numpy as np
import pandas as pd
import pytest
from structlog.testing import capture_logs

from finml.errors import DataError
from finml.models.anomaly.behaviour import OWN_FEATURES, behaviour
from finml.models.anomaly.frames import features_of, table_columns
from finml.models.anomaly.habits import Habits, Transaction
from tests.models.anomaly.payments import numbers, payments


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return payments(3, seed=4, each=2)


@pytest.fixture
def read(model, tmp_path):
    def of(table: pd.DataFrame, name: str = "file.csv") -> pd.DataFrame:
        file = tmp_path / name
        table.to_parquet(file) if name.endswith("parquet") else table.to_csv(file, index=False)
        return model.read(file)

    return of


def test_a_file_of_payments_gets_behaviour_features_by_its_own_history(read, table):
    frame = read(table)
    assert features_of(frame) == "behaviour"
    assert len(frame) == len(table)
    assert frame["anomalous"].tolist() == table["anomalous"].tolist()
    assert frame["occurred_at"].dt.tz_localize(None).tolist() == table["occurred_at"].tolist()
    row = frame.iloc[-1]
    before = table[
        (table["user_id"] == row["user_id"]) & (table["occurred_at"] < table["occurred_at"].iloc[-1])
    ]
    since = table["occurred_at"].iloc[-1] - pd.Timedelta("180d")
    before = before[before["occurred_at"] > since]
    assert row["history"] == "ok"
    size = np.log(before["amount"])
    deviation = (size - size.median()).abs().median()
    expected = (np.log(row["amount"]) - size.median()) / (0.1 + 1.4826 * deviation + 0.7 / len(before) ** 0.5)
    assert row["amount_vs_own"] == pytest.approx(max(0, expected), abs=1e-4)


@pytest.mark.parametrize("name", ["file.parquet", "file.csv.gz"])
def test_every_format_gives_the_same_frame(read, table, name):
    pd.testing.assert_frame_equal(read(table, name), read(table))


def test_other_names_of_the_columns_are_known(read, table):
    renamed = table.rename(columns={"user_id": "card", "occurred_at": "date", "anomalous": "is_fraud"})
    pd.testing.assert_frame_equal(read(renamed), read(table))


def test_the_first_payment_of_a_user_has_no_history(read, table):
    frame = read(table)
    first = frame.groupby("user_id").head(1)
    assert set(first["history"]) == {"none"}
    nothing = behaviour(Transaction(0, 1, "rent"), Habits.read(None)).values
    assert first[list(OWN_FEATURES)].to_dict("records") == [nothing] * 3


def test_payments_of_a_day_without_times_see_each_other(read, table):
    dates = table.assign(occurred_at=table["occurred_at"].dt.strftime("%Y-%m-%d"))
    last = dates.iloc[[-1]]
    frame = read(pd.concat([dates, last, last]))
    assert frame["occurred_at"].dt.strftime("%Y-%m-%d").tolist() == [
        *dates["occurred_at"],
        *list(last["occurred_at"]) * 2,
    ]
    once, twice, thrice = frame.tail(3).to_dict("records")
    assert once["same_payment_1h"] == 0 < twice["same_payment_1h"] < thrice["same_payment_1h"]
    assert once["count_1h"] < twice["count_1h"] < thrice["count_1h"]


def test_credits_are_not_asked_about(read, table):
    refund = table.iloc[[5]].assign(direction="credit")
    frame = read(pd.concat([table, refund]))
    assert len(frame) == len(table)


def test_what_a_credit_holds_is_not_checked_and_said_to_be_left_out(read, table):
    credits_ = table.iloc[[5, 6]].assign(direction="credit", amount=[-20.0, 0.0], category=None)
    with capture_logs() as logs:
        frame = read(pd.concat([credits_, table]))
    pd.testing.assert_frame_equal(frame, read(table))
    assert [log["rows"] for log in logs if log["event"] == "credits_are_left_out"] == [2]
    with pytest.raises(DataError, match="there is no debit"):
        read(credits_)


def test_without_a_label_nothing_is_an_anomaly(read, table):
    frame = read(table.drop(columns=["anomalous", "anomaly_kind", "direction"]))
    assert not frame["anomalous"].any()
    assert frame["anomaly_kind"].isna().all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": -3.0}, "amount: in_range"),
        ({"amount": "many"}, "amount: coerce_dtype"),
        ({"occurred_at": "yesterday"}, "occurred_at is no time in 1 rows: 'yesterday'"),
        ({"direction": "refund"}, "direction holds 'refund'"),
        ({"anomalous": "maybe"}, "the label anomalous is neither 0 nor 1 in 1 rows: 'maybe'"),
        ({"anomalous": None}, "neither 0 nor 1"),
    ],
)
def test_bad_rows_are_named(read, table, change, words):
    spoilt = table.head(5).astype(object)
    for column, value in change.items():
        spoilt.loc[2, column] = value
    with pytest.raises(DataError, match=words):
        read(spoilt)


def test_any_other_file_is_a_table_of_numbers(read):
    table = numbers(300, anomalies=9).assign(id=range(300), note="text", **{"Unnamed: 0": 1})
    frame = read(table)
    assert features_of(frame) == "table"
    assert table_columns(frame) == ["a", "b", "c", "d"]
    assert frame["anomalous"].sum() == 9
    assert frame["row_time"].tolist() == list(range(300))


@pytest.mark.parametrize("label", ["anomalous", "Class", "label", "is_fraud", "target"])
def test_labels_have_several_names(read, label):
    frame = read(numbers(300, anomalies=9).rename(columns={"Class": label}))
    assert frame["anomalous"].sum() == 9


def test_times_may_be_moments(read):
    table = numbers(50, anomalies=2)
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(table["Time"], unit="h")
    frame = read(table.assign(Time=moments))
    assert np.diff(frame["row_time"]).tolist() == [3600.0] * 49


def test_what_cannot_be_read_is_named(model, tmp_path):
    with pytest.raises(DataError, match=r"missing\.csv cannot be read"):
        model.read(tmp_path / "missing.csv")
    (tmp_path / "file.xls").write_bytes(b"\0")
    with pytest.raises(DataError, match=r"is a \.xls file"):
        model.read(tmp_path / "file.xls")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match="cannot be read"):
        model.read(tmp_path / "empty.csv")
    (tmp_path / "header.csv").write_text("a,Class\n")
    with pytest.raises(DataError, match="has no row"):
        model.read(tmp_path / "header.csv")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be read"):
        model.read(tmp_path / "bad.parquet")


def test_a_file_that_holds_features_already_is_read_like_one_without(read, table):
    plain = read(table, "plain.parquet")
    again = read(plain.assign(habits="{}"), "joined.parquet")
    pd.testing.assert_frame_equal(again, plain)
