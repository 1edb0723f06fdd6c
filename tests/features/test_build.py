"""Building the offline store: complete, incremental, the same however it is computed."""

import copy
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from finml.errors import FeatureError, UsageError
from finml.features import compute
from finml.features.build import VIEW_NAMES, BuildReport, build
from finml.features.labels import anomaly_spine
from finml.features.offline import OfflineStore
from finml.settings import Settings
from tests.features.books import Book, bank, bits, offline

DAY = timedelta(days=1)
LOAN_VIEWS = ("user_financials", "credit_history")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", ledger_url=str(tmp_path / "ledger"))


def made(book: Book, settings: Settings, folder: Path, **how: object) -> BuildReport:
    return build(book.write(folder), settings, **how)


def contents(settings: Settings) -> dict[str, bytes]:
    return {view: bits(offline(settings.workspace.features, view)) for view in VIEW_NAMES}


def test_a_build_holds_a_snapshot_a_month_and_a_row_a_question(tmp_path: Path, settings: Settings) -> None:
    book = bank(1)
    report = made(book, settings, tmp_path / "tables", data_hash="abc")
    frame = offline(settings.workspace.features, "user_financials")
    times = frame.groupby("event_timestamp").size()
    ends = [time for time in times.index if time.strftime("%H:%M:%S") == "23:59:59"]
    assert [f"{time:%m-%d}" for time in ends[:3]] == ["01-31", "02-29", "03-31"]
    assert all(times[end] == 8 for end in ends)
    asked = {
        ("u" + row["outcome_id"][1:], pd.Timestamp(row["as_of"], tz="UTC"))
        for row in book.rows["loan_outcomes"]
    }
    assert asked <= set(zip(frame["user_id"], frame["event_timestamp"], strict=True))
    known = max(
        row["known_at"] for table in book.rows if table != "loan_outcomes" for row in book.rows[table]
    )
    assert report.now == known
    assert times.index.max() == pd.Timestamp(known, tz="UTC")
    assert not frame.duplicated(["user_id", "event_timestamp"]).any()
    assert (frame["created_timestamp"] == frame["event_timestamp"]).all()
    rows = {view: len(offline(settings.workspace.features, view)) for view in VIEW_NAMES}
    assert report.rows == rows
    assert rows["user_financials"] == rows["credit_history"] == len(frame)
    assert "| credit_history |" in report.to_markdown()
    manifest = OfflineStore(settings.workspace.features).require()
    assert (manifest.data_hash, manifest.calendar) == ("abc", "month_end")


def test_what_lies_beside_the_books_moves_nothing(tmp_path: Path, settings: Settings) -> None:
    book = bank(1)
    first = made(book, settings, tmp_path / "tables")
    before = contents(settings)
    later = first.now + timedelta(days=40)
    reviewed = book.rows["transactions"][0]["transaction_id"]
    book.add("transaction_labels", later, {"transaction_id": reviewed, "anomalous": True})
    book.add("messages", later, {"message_id": "m", "text": "what did I spend on food?"})
    second = made(book, settings, tmp_path / "tables")
    assert (second.now, second.built, second.removed) == (first.now, (), ())
    for table in ("transaction_labels", "messages"):
        (tmp_path / "tables" / f"{table}.parquet").unlink()
    third = build(tmp_path / "tables", settings)
    assert (third.now, third.built, third.removed) == (first.now, (), ())
    assert contents(settings) == before


def test_views_of_texts_hold_the_present_and_the_questions_that_they_answer(
    tmp_path: Path, settings: Settings
) -> None:
    book = bank(1)
    report = made(book, settings, tmp_path / "tables", at=[("u3", datetime(2024, 5, 5))])
    spending = offline(settings.workspace.features, "spending_history")
    present = pd.Timestamp(report.now, tz="UTC")
    asked = pd.Timestamp("2024-05-05", tz="UTC")
    months = [pd.Timestamp(f"2024-{month:02}-01", tz="UTC") for month in (6, 7, 8)]
    assert Counter(spending["event_timestamp"]) == {present: 8, asked: 1} | dict.fromkeys(months, 8)
    habits = offline(settings.workspace.features, "transaction_habits")
    spine = anomaly_spine(tmp_path / "tables")
    questions = set(zip(spine["user_id"], spine["event_timestamp"], strict=True))
    kept = set(zip(habits["user_id"], habits["event_timestamp"], strict=True))
    assert kept == questions | {(f"u{number}", present) for number in range(8)} | {("u3", asked)}
    assert len(kept) == len(habits)


def test_a_second_build_of_the_same_ledger_builds_nothing(tmp_path: Path, settings: Settings) -> None:
    first = made(bank(1), settings, tmp_path / "tables")
    before = contents(settings)
    second = made(bank(1), settings, tmp_path / "tables")
    assert (second.built, second.removed) == ((), ())
    assert sorted(second.reused) == sorted(first.built)
    assert contents(settings) == before


def test_a_late_row_changes_no_value_from_before_it_was_known(tmp_path: Path, settings: Settings) -> None:
    book = bank(2)
    made(book, settings, tmp_path / "tables")
    before = offline(settings.workspace.features, "user_financials")
    known = datetime(2024, 6, 15, 12)
    book.money(datetime(2024, 3, 3), 123_456, account_id="u0-savings", known_at=known)
    report = made(book, settings, tmp_path / "tables")
    after = offline(settings.workspace.features, "user_financials")
    earlier = [frame[frame["event_timestamp"] < pd.Timestamp(known, tz="UTC")] for frame in (before, after)]
    assert bits(earlier[0]) == bits(earlier[1])
    assert bits(before) != bits(after)
    months = {"2024-06", "2024-07", "2024-08", "2024-09"}
    assert {name[:7] for name in report.built if "snapshot" in name} == months
    assert {name[:7] for name in report.reused if "snapshot" in name} >= {"2024-01", "2024-05"}


@pytest.mark.parametrize("booked", [datetime(2024, 7, 10), datetime(2024, 8, 20)])
def test_a_payment_made_later_changes_no_value_from_before_it_was_booked(
    tmp_path: Path, settings: Settings, booked: datetime
) -> None:
    book = bank(3)
    payment = next(row for row in book.rows["loan_payments"] if row["paid_at"] is None)
    made(book, settings, tmp_path / "tables")
    before = offline(settings.workspace.features, "credit_history")
    paid = datetime(2024, 7, 10)
    payment |= {"paid_at": paid, "amount_paid_minor": 10_000, "updated_at": booked}
    report = made(book, settings, tmp_path / "tables")
    after = offline(settings.workspace.features, "credit_history")
    earlier = [frame[frame["event_timestamp"] < pd.Timestamp(booked, tz="UTC")] for frame in (before, after)]
    assert bits(earlier[0]) == bits(earlier[1])
    assert bits(before) != bits(after)
    assert {name[:7] for name in report.reused if "snapshot" in name} >= {"2024-05", "2024-06"}


def test_rows_after_a_question_change_nothing_of_its_answer(tmp_path: Path, settings: Settings) -> None:
    book = bank(4)
    book.rows["transactions"] = [row for row in book.rows["transactions"] if row["occurred_at"].month < 4]
    asked = {row["loan_id"]: row["as_of"] for row in book.rows["loan_outcomes"]}
    made(book, settings, tmp_path / "tables")
    exact = {view: offline(settings.workspace.features, view) for view in LOAN_VIEWS}
    for loan, as_of in asked.items():
        user = loan.removesuffix("-asked")
        book.money(as_of + timedelta(seconds=1), -777, "rent", account_id=f"{user}-savings")
        book.money(as_of - DAY, 999, account_id=f"{user}-savings", known_at=as_of + timedelta(seconds=1))
        book.loan(f"{user}-more", as_of + DAY, user_id=user)
        book.payment(as_of + 2 * DAY, f"{user}-loan", paid_at=None)
    made(book, settings, tmp_path / "tables")
    for view in LOAN_VIEWS:
        again = offline(settings.workspace.features, view)
        for loan, as_of in asked.items():
            user, moment = loan.removesuffix("-asked"), pd.Timestamp(as_of, tz="UTC")
            rows = [
                frame[(frame["user_id"] == user) & (frame["event_timestamp"] == moment)]
                for frame in (exact[view], again)
            ]
            assert len(rows[0]) == 1
            assert bits(rows[0]) == bits(rows[1])


def test_rows_after_a_transaction_change_nothing_of_its_history(tmp_path: Path, settings: Settings) -> None:
    book = bank(4)
    made(book, settings, tmp_path / "tables")
    before = offline(settings.workspace.features, "transaction_habits")
    asked = anomaly_spine(tmp_path / "tables")
    asked = asked[asked["occurred_at"] < pd.Timestamp("2024-06-01", tz="UTC")]
    for _, row in asked.iterrows():
        account = f"{row['user_id']}-savings"
        late = row["event_timestamp"].tz_localize(None) + timedelta(seconds=1)
        book.money(late, -777, "rent", account_id=account, transaction_id=f"{row['transaction_id']}-after")
        book.money(late - DAY, -5, "rent", account_id=account, known_at=late)
    made(book, settings, tmp_path / "tables")
    after = offline(settings.workspace.features, "transaction_habits")
    keys = ["user_id", "event_timestamp"]
    rows = [asked[keys].drop_duplicates().merge(frame, on=keys) for frame in (before, after)]
    assert len(rows[0]) == len(asked) > 50
    changed = rows[0]["habits"] != rows[1]["habits"]
    first = rows[0].groupby("user_id")["event_timestamp"].transform("min") == rows[0]["event_timestamp"]
    assert not changed[first].any()
    assert changed[~first].all()


@pytest.mark.parametrize("seed", range(2))
def test_an_incremental_build_equals_one_from_scratch(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - test data, no secret
    grown = Settings(home=tmp_path / "grown", ledger_url=str(tmp_path / "ledger"))
    fresh = Settings(home=tmp_path / "fresh", ledger_url=str(tmp_path / "ledger"))
    book = bank(seed, months=5)
    partial = copy.deepcopy(book)
    for table in ("transactions", "loan_payments", "loan_outcomes"):
        partial.rows[table] = [row for row in partial.rows[table] if draw.random() < 0.8]
    for row in partial.rows["loan_payments"]:
        if draw.random() < 0.3:
            row |= {"paid_at": None, "amount_paid_minor": None, "updated_at": row["known_at"]}
    for row in partial.rows["users"]:
        row["monthly_income_minor"] = draw.randrange(10**6)
    made(partial, grown, tmp_path / "a")
    made(book, grown, tmp_path / "b")
    made(book, fresh, tmp_path / "b")
    assert contents(grown) == contents(fresh)


def test_the_bits_are_the_same_with_any_threads_and_order_of_rows(tmp_path: Path) -> None:
    book = bank(5, users=30)
    found = []
    for threads, seed in ((1, None), (2, 1), (4, 2)):
        shuffled = copy.deepcopy(book)
        for rows in shuffled.rows.values():
            if seed is not None:
                random.Random(seed).shuffle(rows)  # noqa: S311 - test data, no secret
        home = Settings(home=tmp_path / f"home{threads}", ledger_url=str(tmp_path / "ledger"))
        made(shuffled, home, tmp_path / f"tables{threads}", threads=threads)
        found.append(contents(home))
    assert found[0] == found[1] == found[2]


def test_slices_show_in_no_value(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made(bank(5), settings, tmp_path / "tables")
    whole = contents(settings)
    monkeypatch.setattr(compute, "SLICE_ROWS", 3)
    sliced = Settings(home=tmp_path / "sliced", ledger_url=settings.ledger_url)
    made(bank(5), sliced, tmp_path / "tables")
    assert contents(sliced) == whole


def test_an_exact_row_equals_the_snapshot_of_its_moment(tmp_path: Path) -> None:
    book = bank(6)
    daily = Settings(home=tmp_path / "daily", ledger_url=str(tmp_path / "ledger"))
    monthly = Settings(home=tmp_path / "monthly", ledger_url=str(tmp_path / "ledger"))
    moments = [datetime(2024, 1, 17, 23, 59, 59), datetime(2024, 2, 9, 23, 59, 59)]
    now = datetime(2024, 2, 12)
    exact = [(f"u{number}", moment) for number in range(8) for moment in moments]
    made(book, daily, tmp_path / "tables", calendar="day", now=now)
    made(book, monthly, tmp_path / "tables", at=exact, now=now)
    times = [pd.Timestamp(moment, tz="UTC") for moment in moments]
    for view in LOAN_VIEWS:
        frames = [offline(settings.workspace.features, view) for settings in (daily, monthly)]
        rows = [frame[frame["event_timestamp"].isin(times)] for frame in frames]
        assert len(rows[1]) == 16
        assert bits(rows[0]) == bits(rows[1])
    made(book, daily, tmp_path / "tables", now=moments[1])
    for view in VIEW_NAMES:
        frames = [offline(settings.workspace.features, view) for settings in (daily, monthly)]
        rows = [frame[frame["event_timestamp"] == times[1]] for frame in frames]
        assert len(rows[1]) == 8
        assert bits(rows[0]) == bits(rows[1])


def test_a_moment_past_now_and_a_user_without_a_ledger_get_no_row(tmp_path: Path, settings: Settings) -> None:
    at = [("u1", datetime(2030, 1, 1)), ("nobody", datetime(2024, 3, 1))]
    made(bank(1), settings, tmp_path / "tables", at=at, now=datetime(2024, 4, 30, 12, 0, 0, 500))
    frame = offline(settings.workspace.features, "credit_history")
    assert frame["event_timestamp"].max() == pd.Timestamp("2024-04-30 12:00:01", tz="UTC")
    assert "nobody" not in set(frame["user_id"])


def test_a_killed_build_leaves_the_last_good_state(tmp_path: Path, settings: Settings) -> None:
    made(bank(1, months=4), settings, tmp_path / "tables")
    before = contents(settings)
    grown = bank(1, months=4)
    grown.money(datetime(2024, 1, 5), 555, account_id="u0-savings")
    grown.write(tmp_path / "tables")
    program = (
        "from pathlib import Path\n"
        "from finml.features.build import build\n"
        "from finml.settings import Settings\n"
        f"build(Path({str(tmp_path / 'tables')!r}), "
        f"Settings(home={str(settings.home)!r}, ledger_url={settings.ledger!r}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert any("features_part_built" in line for line in running.stdout)
        os.kill(running.pid, signal.SIGKILL)
    assert contents(settings) == before
    report = made(grown, settings, tmp_path / "tables")
    assert len(report.built) > 0
    assert contents(settings) != before
    hidden = [path.name for path in settings.workspace.features.rglob(".scratch-*")]
    assert hidden == []


def test_what_is_replaced_is_kept_for_a_reader_and_then_removed(tmp_path: Path, settings: Settings) -> None:
    for count in range(4):
        book = bank(1)
        book.money(datetime(2024, 2, 1), 100 + count, account_id="u0-savings")
        made(book, settings, tmp_path / "tables", now=datetime(2024, 2, 2))
    generations = sorted(path.name for path in (settings.workspace.features / "generations").iterdir())
    assert generations == ["000003", "000004"]


def test_a_part_whose_file_is_gone_is_built_again(tmp_path: Path, settings: Settings) -> None:
    first = made(bank(1, months=3), settings, tmp_path / "tables")
    before = contents(settings)
    gone = settings.workspace.features / "current" / "credit_history" / f"{first.built[0]}.parquet"
    gone.unlink()
    assert made(bank(1, months=3), settings, tmp_path / "tables").built == first.built[:1]
    assert contents(settings) == before


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    made(bank(1, months=3), settings, tmp_path / "tables")
    before = contents(settings)
    monkeypatch.setattr(os, "link", refuse)
    assert made(bank(1, months=3), settings, tmp_path / "tables").built == ()
    assert contents(settings) == before


def test_weeks_end_on_sunday(tmp_path: Path, settings: Settings) -> None:
    made(bank(1), settings, tmp_path / "tables", calendar="week_end", now=datetime(2024, 2, 1))
    times = sorted(set(offline(settings.workspace.features, "user_financials")["event_timestamp"]))
    assert [f"{time:%a %d}" for time in times] == ["Sun 07", "Sun 14", "Sun 21", "Sun 28", "Thu 01"]


def test_an_unknown_calendar_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(UsageError, match="fortnight"):
        made(bank(1), settings, tmp_path / "tables", calendar="fortnight")


def test_an_empty_ledger_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(FeatureError, match="empty"):
        made(Book(), settings, tmp_path / "tables")


def test_a_missing_table_and_a_missing_column_are_named(tmp_path: Path, settings: Settings) -> None:
    folder = bank(1).write(tmp_path / "tables")
    loans = pq.read_table(folder / "loans.parquet")
    pq.write_table(loans.drop_columns(["principal_minor"]), folder / "loans.parquet")
    with pytest.raises(FeatureError, match=r"loans\.parquet lacks the columns principal_minor"):
        build(folder, settings)
    (folder / "loans.parquet").unlink()
    with pytest.raises(FeatureError, match="the ledger lacks loans"):
        build(folder, settings)


def test_nothing_can_be_read_before_the_first_build(settings: Settings) -> None:
    with pytest.raises(FeatureError, match="no features have been built"):
        OfflineStore(settings.workspace.features).require()


def test_parts_that_do_not_say_their_views_are_built_again(tmp_path: Path, settings: Settings) -> None:
    first = made(bank(1, months=3), settings, tmp_path / "tables")
    before = contents(settings)
    path = settings.workspace.features / "current" / "manifest.json"
    manifest = json.loads(path.read_text())
    for part in manifest["parts"]:
        del part["views"]
    path.write_text(json.dumps(manifest))
    again = made(bank(1, months=3), settings, tmp_path / "tables")
    assert again.built == first.built
    assert contents(settings) == before


def test_a_spoiled_manifest_says_so(tmp_path: Path, settings: Settings) -> None:
    made(bank(1), settings, tmp_path / "tables")
    (settings.workspace.features / "current" / "manifest.json").write_text("{}")
    with pytest.raises(FeatureError, match="not a manifest"):
        OfflineStore(settings.workspace.features).manifest()
