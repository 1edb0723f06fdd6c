"""Who challenges the champion."""

import pytest

from finml.errors import IntegrityError, NotApprovedError, RegistryError
from finml.registry.challenge import challenge, withdraw
from finml.registry.promotion import approve, history, promote, reject, rollback
from finml.registry.versions import list_models, resolve
from tests.registry.runs import MODEL, artifact, registered
from tests.registry.test_promotion import intend


def challenger(settings):
    (model,) = list_models(settings, MODEL)
    assert history(settings, MODEL).challenger == model.challenger
    return model.challenger


@pytest.fixture
def settings(settings):
    """The first version is champion, the second waits for a person."""
    registered(settings)
    registered(settings, approval="human")
    return settings


def test_an_approved_version_challenges_the_champion(settings):
    approve(settings, "credit_risk@2", who="ana", promote=False)
    change = challenge(settings, "credit_risk@2", who="ana", why="to be compared")
    assert change.words == "credit_risk@2 challenges credit_risk@1 from the next release"
    assert (change.champion, change.challenger, change.changed) == (1, 2, True)
    assert (challenger(settings), resolve(settings, "credit_risk@challenger").version) == (2, 2)
    assert challenge(settings, "credit_risk@2", who="ana").changed is False
    log = history(settings, MODEL)
    assert (log.events[-1].action, log.events[-1].to_version, log.warnings) == ("challenge", 1, [])


def test_what_nobody_approved_does_not_challenge(settings):
    with pytest.raises(NotApprovedError, match="waits for the approval"):
        challenge(settings, "credit_risk@2", who="ana")
    assert challenger(settings) is None


def test_a_forged_evaluation_does_not_challenge(settings):
    version = approve(settings, "credit_risk@2", who="ana", promote=False) and resolve(
        settings, "credit_risk@2"
    )
    file = artifact(settings, version.run_id, "evaluation/evaluation.json")
    file.write_text(file.read_text().replace("0.75", "0.76"))
    with pytest.raises((IntegrityError, NotApprovedError)):
        challenge(settings, "credit_risk@2", who="ana")


def test_the_champion_does_not_challenge_itself(settings):
    with pytest.raises(RegistryError, match="credit_risk@1 is champion"):
        challenge(settings, "credit_risk@1", who="ana")


def test_a_challenger_that_is_promoted_or_rejected_is_none_any_more(settings):
    approve(settings, "credit_risk@2", who="ana", promote=False)
    challenge(settings, "credit_risk@2", who="ana")
    promote(settings, "credit_risk@2", who="ana")
    assert challenger(settings) is None
    rollback(settings, MODEL, who="ana")
    challenge(settings, "credit_risk@2", who="ana")
    # it is previous as well, and so cannot be rejected
    rollback(settings, MODEL, who="ana")
    assert challenger(settings) is None
    registered(settings, approval="human")
    approve(settings, "credit_risk@3", who="ana", promote=False)
    challenge(settings, "credit_risk@3", who="ana")
    assert reject(settings, "credit_risk@3", who="ana").challenger is None
    assert history(settings, MODEL).warnings == []


def test_a_challenger_can_be_withdrawn(settings):
    approve(settings, "credit_risk@2", who="ana", promote=False)
    assert withdraw(settings, MODEL, who="ana").changed is False
    challenge(settings, "credit_risk@2", who="ana")
    change = withdraw(settings, MODEL, who="ana")
    assert (change.words, change.challenger) == ("credit_risk@2 is no challenger any more", None)
    assert challenger(settings) is None


@pytest.mark.parametrize("action", ["challenge", "withdraw"])
def test_what_was_cut_short_is_completed(settings, action):
    approve(settings, "credit_risk@2", who="ana", promote=False)
    if action == "withdraw":
        challenge(settings, "credit_risk@2", who="ana")
    intend(settings, action, 2, champion=1, to=1, previous=None)
    command = {"challenge": challenge, "withdraw": withdraw}[action]
    change = command(settings, "credit_risk@2" if action == "challenge" else MODEL, who="ben")
    assert change.words.endswith(f"(completed the {action} that crash had begun)")
    assert challenger(settings) == (2 if action == "challenge" else None)
    assert history(settings, MODEL).warnings == []
