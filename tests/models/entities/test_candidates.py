from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from finml.models.entities.candidates import PRIORITY, Candidate, resolve
from finml.models.entities.contract import LABELS


def kept(*candidates: Candidate) -> list[Candidate]:
    return [made.candidate for made in resolve(candidates, LABELS) if made.kept]


MODEL = Candidate(0, 10, "CARD")
RULES = {"MONEY": "amount", "DATE": "weekday", "PAN": "pan", "CARD": "card_number", "PERCENT": "percentage"}


def test_an_identifier_wins_over_the_model():
    number = Candidate(2, 12, "CARD", "card_number")
    assert kept(MODEL, number) == [number]
    pan = Candidate(2, 8, "PAN", "pan")
    assert kept(MODEL, pan) == [pan]


def test_the_model_may_hold_an_identifier_of_its_own_type():
    assert kept(MODEL, Candidate(2, 8, "CARD", "card_number")) == [MODEL]


def test_an_amount_is_not_cut_by_the_model():
    whole, cut = Candidate(0, 9, "MONEY", "amount"), Candidate(0, 4, "MONEY")
    assert kept(whole, cut) == [whole]
    longer = Candidate(0, 12, "MONEY")
    assert kept(whole, longer) == [longer]


def test_a_date_is_not_cut_by_the_model_but_may_be_longer():
    rule = Candidate(0, 7, "DATE", "day_of_month")
    assert kept(rule, Candidate(0, 3, "DATE")) == [rule]
    longer = Candidate(0, 12, "DATE")
    assert kept(rule, longer) == [longer]


def test_a_date_in_figures_is_no_amount():
    rule = Candidate(0, 8, "DATE", "numeric_date")
    assert kept(rule, Candidate(0, 8, "MONEY")) == [rule]


def test_the_model_wins_over_dates():
    assert kept(MODEL, Candidate(0, 20, "DATE", "weekday")) == [MODEL]
    assert kept(MODEL, Candidate(10, 20, "DATE", "weekday")) == [MODEL, Candidate(10, 20, "DATE", "weekday")]


def test_an_identifier_of_the_model_s_needs_a_rule_that_confirms_it():
    guessed = Candidate(0, 10, "UPI")
    assert kept(guessed) == []
    assert kept(guessed, Candidate(2, 10, "UPI", "upi_address")) == [guessed]
    other = Candidate(0, 10, "DATE", "weekday")
    assert kept(guessed, other) == [other]


def test_a_loser_names_its_winner():
    _, lost = sorted(
        resolve([MODEL, Candidate(5, 20, "DATE", "weekday")], LABELS),
        key=lambda made: made.lost_to is not None,
    )
    assert lost.lost_to == MODEL


@st.composite
def candidates(draw):
    start, length = draw(st.integers(0, 30)), draw(st.integers(1, 10))
    if draw(st.booleans()):
        return Candidate(start, start + length, draw(st.sampled_from(LABELS)))
    label = draw(st.sampled_from(sorted(RULES)))
    return Candidate(start, start + length, label, RULES[label])


@given(st.lists(candidates(), max_size=12, unique=True), st.randoms())
def test_what_stays_never_overlaps_and_the_order_means_nothing(found, random):
    decisions = resolve(found, LABELS)
    assert sorted(map(repr, found)) == sorted(repr(made.candidate) for made in decisions)
    stays = [made.candidate for made in decisions if made.kept]
    for one, other in pairwise(stays):
        assert one.end <= other.start
    random.shuffle(found)
    assert resolve(found, LABELS) == decisions


def test_the_page_says_what_wins():
    page = (Path(__file__).parents[3] / "docs" / "models" / "entities.md").read_text(encoding="utf-8")
    for number, words in enumerate(PRIORITY, start=1):
        assert f"{number}. {words}\n" in page
