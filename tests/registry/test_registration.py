import threading

import pytest

from finml.errors import IntegrityError, NotApprovedError, RegistryError
from finml.models.base import Interval
from finml.registry.client import connect
from finml.registry.gate import judge
from finml.registry.promotion import approve, history, rollback
from finml.registry.registration import register
from finml.registry.versions import list_models, resolve
from tests.registry.runs import MODEL, artifact, evaluation, gate, judged, registered, train

RULE = [{"metric": "auc", "min_delta": -0.01, "bound": "low"}]


def registered_names(settings):
    return [entry.name for entry in list_models(settings)]


def test_an_approved_run_becomes_champion_where_nobody_need_be_asked(settings):
    version = registered(settings)
    assert version.spec == "credit_risk@1"
    assert version.aliases == ["champion"]
    assert version.approval.decision == "approved"
    (event,) = history(settings, MODEL).events
    assert (event.action, event.who, event.from_version, event.to_version) == ("promote", "gate", None, 1)
    assert event.why == "approved: 4 checks passed"


def test_an_approved_run_waits_where_a_person_must_agree(settings):
    version = registered(settings, approval="human")
    assert version.aliases == ["candidate"]
    assert version.approval.decision == "pending"
    assert history(settings, MODEL).events == []


def test_the_newest_candidate_has_the_alias(settings):
    registered(settings, approval="human")
    assert registered(settings, approval="human").aliases == ["candidate"]
    assert resolve(settings, "credit_risk@1").aliases == []


def test_a_rejecting_verdict_registers_nothing(settings):
    run_id, verdict = judged(settings, found=evaluation(0.6))
    with pytest.raises(NotApprovedError, match=r"low end of auc is 0\.58, below 0\.65"):
        register(settings, run_id, MODEL, verdict)
    assert registered_names(settings) == []


def test_a_verdict_of_another_evaluation_registers_nothing(settings):
    run_id, _ = judged(settings, found=evaluation(0.6))
    with pytest.raises(NotApprovedError, match="not the one that the evaluation"):
        register(settings, run_id, MODEL, judge(gate(), evaluation(0.9)))
    assert registered_names(settings) == []


def test_a_verdict_that_was_edited_registers_nothing(settings):
    run_id, verdict = judged(settings, found=evaluation(0.6))
    with pytest.raises(NotApprovedError):
        register(settings, run_id, MODEL, verdict.model_copy(update={"approved": True}))


def test_a_run_without_evaluation_registers_nothing(settings):
    with pytest.raises(RegistryError, match="has no gate"):
        register(settings, train(settings), MODEL, judge(gate(), evaluation()))


@pytest.mark.parametrize("tamper", ["change", "add", "lose", "lose_all"])
def test_files_that_are_not_those_of_the_training_register_nothing(settings, tamper):
    run_id, verdict = judged(settings)
    file = artifact(settings, run_id, "model/model.json")
    if tamper == "change":
        file.write_text("another model")
    elif tamper == "add":
        file.with_name("more.bin").write_bytes(b"1")
    elif tamper == "lose":
        file.unlink()
    else:
        file.parent.rename(file.parent.with_name("gone"))
    with pytest.raises(IntegrityError):
        register(settings, run_id, MODEL, verdict)
    assert registered_names(settings) == []


def test_a_run_of_another_model_is_refused(settings):
    run_id, verdict = judged(settings)
    with pytest.raises(RegistryError, match="trained credit_risk"):
        register(settings, run_id, "intent", verdict.model_copy(update={"model": "intent"}))


def test_a_run_that_something_else_logged_is_refused(settings):
    run_id, verdict = judged(settings)
    with connect(settings) as client:
        client.delete_tag(run_id, "finml.manifest_sha256")
    with pytest.raises(IntegrityError, match="no recorded manifest"):
        register(settings, run_id, MODEL, verdict)


def test_a_failed_run_is_refused(settings):
    run_id, verdict = judged(settings)
    with connect(settings) as client:
        client.set_terminated(run_id, "FAILED")
    with pytest.raises(RegistryError, match="is failed, not finished"):
        register(settings, run_id, MODEL, verdict)


def test_a_retried_step_registers_once(settings):
    run_id, verdict = judged(settings)
    assert register(settings, run_id, MODEL, verdict) == register(settings, run_id, MODEL, verdict)
    assert len(history(settings, MODEL).events) == 1


def test_a_retried_step_does_not_undo_a_rollback(settings):
    registered(settings)
    run_id, verdict = judged(settings)
    register(settings, run_id, MODEL, verdict)
    rollback(settings, MODEL, who="ana")
    assert register(settings, run_id, MODEL, verdict).aliases == ["previous"]


def test_a_registration_that_was_cut_short_is_completed(settings):
    run_id, verdict = judged(settings, by=gate("human"))
    register(settings, run_id, MODEL, verdict)
    with connect(settings) as client:  # as if the process had died before the alias was set
        client.delete_registered_model_alias(MODEL, "candidate")
    assert register(settings, run_id, MODEL, verdict).aliases == ["candidate"]


def test_a_champion_cannot_be_passed_over(settings):
    by = gate(champion=RULE)
    first = registered(settings, by=by)
    assert first.aliases == ["champion"]
    with pytest.raises(NotApprovedError, match="comparison with the champion credit_risk@1"):
        registered(settings, by=by)
    delta = {"auc": Interval(value=0.01, low=0.0, high=0.02)}
    compared = evaluation(champion=first.spec, versus_champion=delta)
    assert registered(settings, by=by, found=compared).aliases == ["champion"]


def test_many_at_once_get_a_version_each(settings):
    trained = [judged(settings) for _ in range(3)]
    done, failed = [], []

    def one(run_id, verdict):
        try:
            done.append(register(settings, run_id, MODEL, verdict).version)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=each) for each in trained]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(done) == [1, 2, 3]
    log = history(settings, MODEL)
    assert log.warnings == []
    assert [event.to_version for event in log.events] == [log.events[0].to_version, *done[1:]]
    assert log.champion == log.events[-1].to_version


def test_a_person_may_register_with_a_name_and_a_reason(settings):
    run_id, verdict = judged(settings)
    register(settings, run_id, MODEL, verdict, who="ana", why="first model")
    (event,) = history(settings, MODEL).events
    assert (event.who, event.why) == ("ana", "first model")
    assert approve(settings, "credit_risk@1", who="ana").changed is False
