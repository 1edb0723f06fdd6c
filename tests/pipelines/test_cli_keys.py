from datetime import UTC, datetime, timedelta

import pytest

from finml.access.keyring import Keyring
from finml.access.keys import PATTERN
from finml.settings import get_settings


@pytest.mark.parametrize("command", ["create", "list", "revoke", "rotate"])
def test_the_commands_explain_themselves(finml, command):
    outcome = finml("keys", command, "--help")
    assert outcome.code == 0
    assert f"Usage: finml keys {command}" in outcome.stdout


def test_a_key_lives_from_its_making_to_its_end(finml):
    made = finml(
        "keys", "create", "a shop", "--scope", "credit_risk:predict", "--scope", "*:explain", "--json"
    )
    first = made.document["key"]
    key_id = made.document["id"]
    second = finml("keys", "rotate", key_id, "--grace-minutes", "5", "--json").document["key"]

    ring = Keyring(get_settings())
    ring.load()
    assert ring.find(first.encode()).id == ring.find(second.encode()).id == key_id

    finml("keys", "revoke", key_id)
    ring.load()
    assert ring.find(first.encode()) is ring.find(second.encode()) is None
    (shown,) = finml("keys", "list", "--json").document["keys"]
    assert (shown["name"], shown["state"]) == ("a shop", "revoked")
    assert shown["scopes"] == ["credit_risk:predict", "*:explain"]


def test_the_key_alone_is_the_answer_and_lists_never_show_it(finml):
    made = finml("keys", "create", "a shop", "--scope", "*:*")
    assert PATTERN.fullmatch(made.stdout.strip())
    for words in (("list",), ("list", "--json")):
        outcome = finml("keys", *words)
        assert "a shop" in outcome.stdout
        assert made.stdout.strip() not in outcome.stdout
        assert "hash" not in outcome.stdout


def test_limits_and_an_end_are_kept(finml):
    limits = ("--rate-per-s", "2.5", "--rate-burst", "7", "--daily-quota", "99", "--expires-in-days", "3")
    shown = finml("keys", "create", "a shop", "--scope", "*:*", *limits, "--json").document
    assert (shown["rate_per_s"], shown["rate_burst"], shown["daily_quota"]) == (2.5, 7, 99)
    left = datetime.fromisoformat(shown["expires"]) - datetime.now(UTC)
    assert timedelta(days=2.9) < left <= timedelta(days=3)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("create", "a shop"), 2, "--scope"),
        (("create", "a shop", "--scope", "nonsense"), 2, "no scope"),
        (("create", "a shop", "--scope", "credit:predict"), 2, "no model"),
        (("create", "a shop", "--scope", "*:*", "--rate-per-s", "0"), 2, "rate-per-s"),
        (("revoke", "abc"), 1, "no key abc"),
        (("rotate", "abc"), 1, "no key abc"),
    ],
)
def test_what_cannot_be_done_is_said(finml, words, code, said):
    outcome = finml("keys", *words, "--json")
    assert outcome.code == code
    assert said in outcome.document["error"]["message"]
