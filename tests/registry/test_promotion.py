import sqlite3
import threading
from datetime import timedelta

import pytest

from finml.errors import NotApprovedError, RegistryError, UsageError
from finml.registry import promotion_log
from finml.registry.client import connect
from finml.registry.promotion import approve, history, promote, reject, rollback
from finml.registry.versions import resolve
from tests.registry.runs import MODEL, artifact, empty_database, new_home, registered


def standing(settings):
    log = history(settings, MODEL)
    return log.champion, log.previous, log.candidate


def intend(settings, action, version, *, champion, to, previous, who="crash"):
    """Begin a change and do not carry it out: what a process leaves that dies in between."""
    with connect(settings) as client:
        return promotion_log.begin(
            client, settings, MODEL, action, version,
            champion=champion, to=to, previous=previous, who=who, why="",
        )  # fmt: skip


def test_a_person_approves_and_the_candidate_is_champion(settings):
    registered(settings, approval="human")
    change = approve(settings, "credit_risk@candidate", who="ana", why="reviewed")
    assert change.words == "credit_risk@1 is champion"
    assert (change.changed, change.champion, change.previous, change.candidate) == (True, 1, None, None)
    assert [event.action for event in change.events] == ["approve", "promote"]
    approval = resolve(settings, "credit_risk@1").approval
    assert (approval.decision, approval.who, approval.why) == ("approved", "ana", "reviewed")
    assert approval.at == change.events[0].at


def test_approval_without_promotion(settings):
    registered(settings, approval="human")
    change = approve(settings, "credit_risk@1", who="ana", promote=False)
    assert change.words == "credit_risk@1 is approved"
    assert standing(settings) == (None, None, 1)
    assert approve(settings, "credit_risk@1", who="ana", promote=False).changed is False
    assert promote(settings, "credit_risk@1", who="ben").champion == 1


def test_nobody_promotes_what_nobody_approved(settings):
    registered(settings, approval="human")
    with pytest.raises(NotApprovedError, match="waits for the approval"):
        promote(settings, "credit_risk@1", who="ana")
    assert standing(settings) == (None, None, 1)


def test_nobody_approves_what_the_gate_did_not(settings):
    version = registered(settings, approval="human")
    file = artifact(settings, version.run_id, "evaluation/evaluation.json")
    file.write_text(file.read_text().replace("0.75", "0.95"))
    with pytest.raises(RegistryError, match="verdict"):
        approve(settings, version.spec, who="ana")
    assert history(settings, MODEL).events == []


def test_promotion_moves_the_champion_to_previous(settings):
    for _ in range(3):
        registered(settings)
    assert standing(settings) == (3, 2, None)
    change = promote(settings, "credit_risk@1", who="ana", why="3 is slow")
    assert change.words == "credit_risk@1 is champion; credit_risk@3 is previous"
    assert standing(settings) == (1, 3, None)
    again = promote(settings, "credit_risk@1", who="ana")
    assert (again.changed, again.words) == (False, "credit_risk@1 is champion already")
    assert len(history(settings, MODEL).events) == 4


def test_rollback_swaps_and_says_what_it_did(settings):
    registered(settings)
    registered(settings)
    change = rollback(settings, MODEL, who="ana", why="complaints")
    assert change.words == "credit_risk@1 is champion again; credit_risk@2 is previous"
    assert standing(settings) == (1, 2, None)
    (event,) = change.events
    assert (event.action, event.from_version, event.to_version) == ("rollback", 2, 1)
    rollback(settings, MODEL, who="ana")
    assert standing(settings) == (2, 1, None)


def test_rollback_needs_a_previous_champion(settings):
    with pytest.raises(RegistryError, match="no model 'credit_risk' is registered"):
        rollback(settings, MODEL, who="ana")
    registered(settings)
    with pytest.raises(RegistryError, match="no previous champion") as caught:
        rollback(settings, MODEL, who="ana")
    assert "finml models promote" in caught.value.hint


def test_rollback_takes_a_name_only(settings):
    with pytest.raises(UsageError, match="cannot be the name"):
        rollback(settings, "credit_risk@1", who="ana")


def test_rollback_works_while_the_files_cannot_be_read(settings):
    first, second = registered(settings), registered(settings)
    for version in (first, second):
        folder = artifact(settings, version.run_id, "")
        folder.rename(folder.with_name("away"))
    assert rollback(settings, MODEL, who="ana").champion == 1


def test_a_rejected_version_is_no_candidate_and_cannot_be_promoted(settings):
    registered(settings, approval="human")
    change = reject(settings, "credit_risk@candidate", who="ana", why="unfair to the young")
    assert (change.words, change.candidate) == ("credit_risk@1 is rejected", None)
    assert reject(settings, "credit_risk@1", who="ana").changed is False
    with pytest.raises(NotApprovedError, match="ana rejected credit_risk@1: unfair to the young"):
        promote(settings, "credit_risk@1", who="ben")
    approve(settings, "credit_risk@1", who="ben", why="measured again")
    assert standing(settings) == (1, None, None)


def test_what_serves_cannot_be_rejected(settings):
    registered(settings)
    registered(settings)
    for alias in ("champion", "previous"):
        with pytest.raises(RegistryError, match=f"is {alias}"):
            reject(settings, f"credit_risk@{alias}", who="ana")


@pytest.mark.parametrize(("who", "why"), [("", ""), ("  ", ""), ("a" * 201, ""), ("ana", "w" * 2001)])
def test_the_log_wants_a_name_and_has_room_for_a_reason(settings, who, why):
    registered(settings)
    with pytest.raises(UsageError):
        promote(settings, "credit_risk@1", who=who, why=why)


def test_the_log_keeps_every_word(settings):
    registered(settings)
    registered(settings)
    why = "because of [red]€[/]\n'quotes' \"double\" | pipes; " + "x" * 1900
    rollback(settings, MODEL, who="José Ñ", why=why)
    log = history(settings, MODEL)
    assert (log.events[-1].who, log.events[-1].why) == ("José Ñ", why)
    assert [event.sequence for event in log.events] == [1, 2, 3]
    assert [event.at for event in log.events] == sorted(event.at for event in log.events)
    assert log.warnings == []


def test_the_log_of_a_model_that_is_not_there(settings):
    with pytest.raises(RegistryError, match="no model"):
        history(settings, MODEL)


@pytest.mark.parametrize("moved", [[], ["previous"], ["previous", "champion"]])
def test_a_promotion_that_was_cut_short_is_completed_by_running_it_again(settings, moved):
    for _ in range(3):
        registered(settings)
    intend(settings, "promote", 1, champion=3, to=1, previous=3)
    with connect(settings) as client:
        for alias, number in {"previous": "3", "champion": "1"}.items():
            if alias in moved:
                client.set_registered_model_alias(MODEL, alias, number)
    assert "cut short" in history(settings, MODEL).warnings[-1]
    change = promote(settings, "credit_risk@1", who="ana")
    assert change.words.endswith("(completed the promote that crash had begun)")
    assert standing(settings) == (1, 3, None)
    log = history(settings, MODEL)
    assert (len(log.events), log.warnings) == (4, [])


@pytest.mark.parametrize("moved", [[], ["previous"]])
def test_a_rollback_that_was_cut_short_is_completed_and_not_done_twice(settings, moved):
    registered(settings)
    registered(settings)
    intend(settings, "rollback", 1, champion=2, to=1, previous=2)
    if moved:
        with connect(settings) as client:
            client.set_registered_model_alias(MODEL, "previous", "2")
    assert rollback(settings, MODEL, who="ana").champion == 1
    assert standing(settings) == (1, 2, None)


def test_an_approval_that_was_cut_short_is_completed(settings):
    registered(settings, approval="human")
    intend(settings, "approve", 1, champion=None, to=None, previous=None)
    assert approve(settings, "credit_risk@1", who="ana").champion == 1
    assert resolve(settings, "credit_risk@1").approval.who == "crash"


def test_what_was_cut_short_is_completed_before_anything_else(settings):
    for _ in range(3):
        registered(settings)
    intend(settings, "promote", 1, champion=3, to=1, previous=3)
    assert rollback(settings, MODEL, who="ana").champion == 3
    assert [event.to_version for event in history(settings, MODEL).events[-2:]] == [1, 3]
    assert history(settings, MODEL).warnings == []


def test_an_event_that_was_never_fully_written_counts_for_nothing(settings):
    registered(settings)
    registered(settings)
    with connect(settings) as client:
        found = client.get_experiment_by_name("finml-promotions")
        client.create_run(found.experiment_id, tags={"finml.model": MODEL, "finml.sequence": "3"})
    assert rollback(settings, MODEL, who="ana").champion == 1
    log = history(settings, MODEL)
    assert [event.sequence for event in log.events] == [1, 2, 4]
    assert log.warnings == []


@pytest.fixture
def machines(tmp_path):
    """Two homes that share a store and no locks, as two machines do."""
    shared = f"sqlite:///{empty_database(tmp_path / 'server')}"
    return [new_home(tmp_path / name, mlflow_tracking_uri=shared) for name in ("one", "other")]


def test_what_another_machine_has_just_begun_is_left_alone(machines, monkeypatch):
    one, other = machines
    registered(one)
    registered(one)
    intend(one, "rollback", 1, champion=2, to=1, previous=2, who="ana")
    with pytest.raises(RegistryError, match="ana changes credit_risk at this moment"):
        promote(other, "credit_risk@1", who="ben")
    monkeypatch.setattr(promotion_log, "PATIENCE", timedelta(0))
    assert promote(other, "credit_risk@1", who="ben").champion == 1
    assert history(one, MODEL).warnings == []


def test_machines_that_collide_leave_a_log_that_fits_the_aliases(machines):
    for _ in range(2):
        registered(machines[0])
    refused = []

    def work(settings, spec):
        for _ in range(4):
            try:
                promote(settings, spec, who=spec)
            except RegistryError as error:
                refused.append(str(error))

    threads = [
        threading.Thread(target=work, args=(machine, f"credit_risk@{number}"))
        for number, machine in enumerate(machines, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = history(machines[0], MODEL)
    assert log.warnings == []
    assert all("at this moment" in words or "at the same time" in words for words in refused)


class Slow:
    """A client so slow that another machine writes an event in the same place meanwhile."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        return getattr(self.client, name)

    def create_run(self, experiment_id, tags, run_name):
        self.client.create_run(experiment_id, tags=tags, run_name=run_name)
        return self.client.create_run(experiment_id, tags=tags, run_name=run_name)


def test_whoever_finds_another_event_in_its_place_gives_way(settings):
    registered(settings)
    registered(settings)
    with connect(settings) as client, pytest.raises(RegistryError, match="somebody else changes credit_risk"):
        promotion_log.begin(
            Slow(client), settings, MODEL, "rollback", 1, champion=2, to=1, previous=2, who="ana", why=""
        )
    log = history(settings, MODEL)
    assert [event.sequence for event in log.events] == [1, 2]
    assert log.warnings == []
    assert rollback(settings, MODEL, who="ana").champion == 1


def test_an_alias_that_was_moved_by_hand_shows(settings):
    registered(settings)
    registered(settings)
    with connect(settings) as client:
        client.set_registered_model_alias(MODEL, "champion", "1")
    assert "the champion is 1, the log says 2" in history(settings, MODEL).warnings[0]
    promote(settings, "credit_risk@2", who="ana")
    assert (
        "before event 3 the champion went from 2 to 1 without an entry" in history(settings, MODEL).warnings
    )


def test_a_log_that_was_changed_behind_mlflows_back_shows(settings):
    registered(settings)
    registered(settings)
    database = settings.tracking_uri.removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        changed = connection.execute(
            "UPDATE params SET value = 'somebody else' WHERE value = 'gate'"
        ).rowcount
    connection.close()
    assert changed == 2
    assert (
        "event 2 does not follow from the one before: the log was changed"
        in history(settings, MODEL).warnings
    )


def test_entries_can_neither_be_changed_nor_hidden_through_mlflow(settings):
    from mlflow.exceptions import MlflowException

    registered(settings)
    (event,) = history(settings, MODEL).events
    with connect(settings) as client:
        with pytest.raises(MlflowException):
            client.log_param(event.event_id, "who", "somebody else")
        client.delete_run(event.event_id)
    log = history(settings, MODEL)
    assert [(each.who, each.deleted) for each in log.events] == [("gate", True)]
    assert log.warnings == ["event 1 was deleted in MLflow; it is shown all the same"]
