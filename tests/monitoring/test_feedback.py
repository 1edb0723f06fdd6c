"""Outcomes and the comparison that they make possible, in SQLite and in PostgreSQL; the log in PostgreSQL."""

import json
import re
import stat
import tempfile

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as settings_
from hypothesis import strategies as st
from pydantic import ValidationError

from finml.errors import MonitoringError, UsageError
from finml.monitoring.ab import report
from finml.monitoring.feedback import FeedbackRequest, FeedbackStore, joined
from finml.monitoring.inference_log import InferenceLog
from finml.monitoring.reading import read
from finml.settings import Settings
from pipelines.cli.app import run_command
from tests.monitoring.conftest import Answer, id_of, make_prediction


def items(*given):
    return FeedbackRequest.model_validate_json(json.dumps({"items": list(given)}), strict=True).items


def told(number=0, **given):
    return {"model": "credit_risk", "request_id": id_of(number), "defaulted": True} | given


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def kept(request, tmp_path):
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    return Settings(_env_file=None, home=tmp_path, inference_log=url)


def test_only_the_owner_reads_what_sqlite_keeps(tmp_path):
    store = FeedbackStore(Settings(_env_file=None, home=tmp_path))
    store.add(items(told(1)), "key-1")
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    store.close()
    assert files == dict.fromkeys(["feedback.db", "feedback.db-wal", "feedback.db-shm"], 0o600)


def test_the_last_telling_counts_and_the_same_again_is_no_news(kept, prediction):
    store = FeedbackStore(kept)
    assert store.add(items(told(1), told(1, position=1)), "key-1") == 2
    assert store.add(items(told(1)), "key-1") == 0
    assert store.add(items(told(1, defaulted=False)), "key-1") == 1
    store.close()
    log = InferenceLog(kept)
    log.record([prediction(1), prediction(2)])
    log.start()
    log.close(30)
    found = joined(kept, "credit_risk").set_index("request_id")
    assert json.loads(found.outcome[id_of(1)]) == {"defaulted": False}
    assert found.outcome.isna()[id_of(2)]


TELLINGS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=8)


@settings_(max_examples=30, deadline=None)
@given(TELLINGS)
def test_the_last_word_is_that_of_who_asked_or_of_who_may_tell_of_anybody(tellings):
    """Also where one id is that of two callers, as in logs of before each request had its own."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(_env_file=None, home=home)
        store, log = FeedbackStore(settings), InferenceLog(settings)
        for teller, for_all, defaulted in tellings:
            models = ["credit_risk"] if for_all else []
            store.add(items(told(1, defaulted=defaulted)), teller, of_anybody=models)
        store.close()
        log.record([make_prediction(1, caller=caller) for caller in "ab"])
        log.start()
        log.close(30)
        found = joined(settings, "credit_risk").set_index("caller").outcome
    for caller in "ab":
        counting = [defaulted for teller, for_all, defaulted in tellings if for_all or teller == caller]
        expected = [{"defaulted": counting[-1]}] if counting else []
        assert [json.loads(text) for text in found[[caller]].dropna()] == expected


def test_outcomes_of_before_it_was_kept_who_may_tell_count_for_their_own(kept, prediction):
    store = FeedbackStore(kept)
    store.add(items(told(1)), "key-1")
    with store._engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE finml_feedback DROP COLUMN of_anybody"))
    store.close()
    store = FeedbackStore(kept)
    assert store.add(items(told(2)), "key-2", of_anybody=["credit_risk"]) == 1
    store.close()
    log = InferenceLog(kept)
    log.record([prediction(1), prediction(1, caller="key-3"), prediction(2)])
    log.start()
    log.close(30)
    found = joined(kept, "credit_risk").set_index(["request_id", "caller"]).outcome.notna()
    assert found.to_dict() == {
        (id_of(1), "key-1"): True,
        (id_of(1), "key-3"): False,
        (id_of(2), "key-1"): True,
    }


@pytest.mark.parametrize(
    "broken",
    [
        told(defaulted="yes"),
        told(model="unknown"),
        told(request_id="a b"),
        told(request_id="order-66"),
        told(more=1),
        {"model": "entities", "request_id": id_of(1)},
    ],
)
def test_what_breaks_the_contract_is_refused(broken):
    with pytest.raises(ValidationError):
        items(broken)


@pytest.mark.server
def test_postgres_killed_and_back_loses_nothing_that_fits_the_queue(
    postgres_database, postgres_url, tmp_path, prediction, until
):
    settings = Settings(_env_file=None, home=tmp_path, inference_log=postgres_database)
    name = postgres_database.rpartition("/")[2]
    log = InferenceLog(settings, most_queued=50, rows=10, flush_s=0.01)
    log.start()
    log.record([prediction(0)])
    until(lambda: log.written == 1)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        for number in range(1, 200):
            log.record([prediction(number)])
        assert log.dropped > 100
        assert log.written == 1
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    until(lambda: log.queued == 0)
    log.close(30)
    assert log.written + log.dropped == 200
    assert len(read(settings)) == log.written


def test_a_store_that_is_away_is_said_without_its_password(tmp_path):
    settings = Settings(_env_file=None, home=tmp_path, inference_log="postgresql://a:s3cret@127.0.0.1:1/b")
    with pytest.raises(MonitoringError) as caught:
        FeedbackStore(settings).add(items(told()), "key-1")
    assert "s3cret" not in str(caught.value) + caught.value.hint


def experiment(settings, prediction, better, shadow=False, users=600):
    """The champion always says 0.5; the challenger knows the outcome as far as `better`."""
    generator = np.random.default_rng(7)
    log, outcomes = InferenceLog(settings), []
    for number in range(users):
        defaulted = bool(generator.random() < 0.5)
        outcomes.append(told(number, defaulted=defaulted))
        knows = 0.5 + (better if defaulted else -better)
        answers = [("champion", 0.5, False), ("challenger", knows, True)] if shadow else None
        for variant, probability, unseen in answers or [
            ("champion", 0.5, False) if number % 2 else ("challenger", knows, False)
        ]:
            given = {"variant": variant, "version": f"credit_risk@{variant}", "shadow": unseen}
            log.record([prediction(number, output=Answer(probability=probability), **given)])
    log.start()
    log.close(30)
    FeedbackStore(settings).add(items(*outcomes), "key-1")


@pytest.mark.parametrize("shadow", [False, True])
def test_a_better_challenger_is_told(settings, prediction, shadow):
    experiment(settings, prediction, 0.3, shadow)
    found = report(settings, "credit_risk", share=0.5)
    difference = found.shadow if shadow else found.split
    assert difference.said == "real"
    assert difference.value == pytest.approx(0.2**2 - 0.25)
    assert difference.low < difference.value < difference.high < 0
    assert (difference.users, difference.paired) == (600, shadow)
    assert {one.variant: one.auc for one in found.variants} == {"champion": 0.5, "challenger": 1.0}


def test_outcomes_that_do_not_count_are_noted(settings, prediction):
    experiment(settings, prediction, 0.3)
    log = InferenceLog(settings)
    log.record([prediction(number) for number in range(1000, 1003)])
    log.start()
    log.close(30)
    store = FeedbackStore(settings)
    store.add(items(told(1000), told(1001), told(1)), "key-2")
    store.add(items(told(1001)), "key-3", of_anybody=["credit_risk"])
    found = report(settings, "credit_risk", share=0.5)
    words = "have outcomes by other callers alone, which need the scope feedback-all and do not count"
    assert [note for note in found.notes if "outcomes" in note] == [f"1 answers {words}"]


def test_equal_variants_are_not_told_apart(settings, prediction):
    experiment(settings, prediction, 0.0)
    assert report(settings, "credit_risk", margin=0.05).split.said == "not shown"
    undecided = report(settings, "credit_risk", margin=1e-4).split
    assert undecided.said == "cannot be said yet"
    assert undecided.more_users > 0
    assert not report(settings, "credit_risk", share=0.5).sample_ratio.mismatch
    assert report(settings, "credit_risk", share=0.1).sample_ratio.mismatch


def test_a_challenger_that_fails_is_told_and_who_stood_in_for_it_is_left_out(settings, prediction):
    log, outcomes = InferenceLog(settings), []
    for number in range(400):
        outcomes.append(told(number, defaulted=False))
        mine, failed = number % 2 == 0, number % 4 == 0
        if failed:
            log.record([prediction(number, variant="challenger", output=None, error="RuntimeError")])
        variant = "challenger" if mine and not failed else "champion"
        # where the challenger fails, any version does badly
        answer = Answer(probability=0.9 if failed else 0.5)
        log.record([prediction(number, variant=variant, output=answer)])
    log.start()
    log.close(30)
    FeedbackStore(settings).add(items(*outcomes), "key-1")
    found = report(settings, "credit_risk", share=0.5)
    champion, challenger = found.variants
    assert (champion.users, challenger.users) == (200, 200)
    assert (champion.error_rate, challenger.error_rate) == (0, 0.5)
    assert not found.sample_ratio.mismatch
    assert found.split.value == 0
    assert found.notes == ["100 answers of the champion in place of a failed challenger are left out"]


def test_the_command_prints_a_screen_and_a_document(settings, prediction, monkeypatch, capfd):
    monkeypatch.setattr("finml.settings.get_settings", lambda: settings)
    experiment(settings, prediction, 0.3)
    assert run_command(["ab", "report", "--model", "credit_risk"]) == 0
    screen = capfd.readouterr().out
    assert "The difference is real" in screen
    assert screen.count("\n") < 25
    assert run_command(["ab", "report", "--model", "credit_risk", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["split"]["said"] == "real"
    assert run_command(["monitoring", "compact"]) == 0
    assert re.search(r"\d+ files became \d+", capfd.readouterr().out)


def test_a_model_that_no_outcome_judges_is_refused(settings):
    with pytest.raises(UsageError, match="weather"):
        report(settings, "weather")
