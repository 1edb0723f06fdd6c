"""Two hundred amounts and dates with what they mean."""

from datetime import date, datetime
from pathlib import Path

import pytest
import yaml

from finml.models.entities.candidates import Candidate
from finml.models.entities.contract import EntitiesInput
from finml.models.entities.linking import Catalogue
from finml.models.entities.rules import apply_rules
from finml.models.entities.values import Reader

CASES = yaml.safe_load(Path(__file__).with_name("normalization.yaml").read_text(encoding="utf-8"))
AMOUNTS, DATES = CASES["amounts"], CASES["dates"]


def read(text: str, words: str, label: str):
    """What the words of a text mean, as the recogniser would hand them over: by their offsets alone."""
    asked = EntitiesInput(
        text=text, now=CASES["now"], time_zone=CASES["time_zone"], currency=CASES["currency"]
    )
    start = text.index(words)
    return Reader(asked, Catalogue([])).read(Candidate(start, start + len(words), label)).value


@pytest.mark.parametrize(("text", "readings"), CASES["lookalikes"])
def test_what_only_looks_like_an_entity_is_read_as_what_it_is(text, readings):
    today = datetime.fromisoformat(CASES["now"]).date()
    found = sorted(apply_rules(text, today), key=lambda one: one.start)
    assert [[one.label, text[one.start : one.end]] for one in found] == readings


def test_there_are_two_hundred_cases():
    assert len(AMOUNTS) == 100
    assert len(DATES) == 100
    assert len({row[0] for row in AMOUNTS + DATES}) == 200


@pytest.mark.parametrize(("text", "words", "amount", "currency"), AMOUNTS)
def test_an_amount_is_worth_what_it_says(text, words, amount, currency):
    value = read(text, words, "MONEY")
    assert (value.amount, value.currency) == (amount, currency)


@pytest.mark.parametrize(("text", "words", "start", "end"), DATES)
def test_a_date_means_these_days(text, words, start, end):
    value = read(text, words, "DATE")
    assert tuple(when and when.date().isoformat() for when in (value.start, value.end)) == (start, end)
    for when in filter(None, (value.start, value.end)):
        assert when.isoformat().endswith("T00:00:00+05:30")


@pytest.mark.parametrize(("text", "words", "label"), [(row[0], row[1], "DATE") for row in DATES])
def test_rules_alone_find_every_date_with_its_offsets(text, words, label):
    today = datetime.fromisoformat(CASES["now"]).date()
    found = {(one.label, text[one.start : one.end]) for one in apply_rules(text, today)}
    assert (label, words) in found


def test_rules_alone_find_every_amount_that_says_it_is_money():
    today = date(2026, 5, 20)
    bare = 0
    for text, words, _, _ in AMOUNTS:
        found = {text[one.start : one.end] for one in apply_rules(text, today) if one.label == "MONEY"}
        bare += not found
        assert words in found or not found
    # a figure alone is left to the recogniser
    assert bare == 8
