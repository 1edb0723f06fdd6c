import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.intent.texts import chosen, fault, hashes, normalized


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is my card?", "  where is MY card"),
        ("it's late", "It\N{RIGHT SINGLE QUOTATION MARK}s late!"),
        ("a\nb", "a b"),
        ("STRASSE", "straße"),
        ("\N{LATIN SMALL LIGATURE FI}ne", "fine"),
    ],
)
def test_two_writings_of_a_message_are_one(one, other):
    assert normalized(one) == normalized(other)
    assert hashes([one]) == hashes([other])


@pytest.mark.parametrize(("one", "other"), [("₹500", "500"), ("my card", "my cards"), ("???", "!!!")])
def test_what_differs_in_meaning_stays_different(one, other):
    assert normalized(one) != normalized(other)


@given(st.text())
def test_normalizing_twice_changes_nothing(text):
    assert normalized(normalized(text)) == normalized(text)


def test_the_hash_never_changes():
    assert hashes(["Where is my card?"]).tolist() == [4097359860600774221]


@given(st.lists(st.text(min_size=1), min_size=1), st.lists(st.text(min_size=1)))
def test_other_texts_do_not_move_a_text_to_the_other_part(texts, more):
    alone = chosen(texts, 0.5)
    assert np.array_equal(chosen(texts + more, 0.5)[: len(texts)], alone)
    assert np.array_equal(chosen([text.swapcase() if text.isascii() else text for text in texts], 0.5), alone)


def test_about_the_share_is_chosen_and_salts_are_independent():
    texts = [f"message number {number}" for number in range(4000)]
    one, other = chosen(texts, 0.15), chosen(texts, 0.15, salt="validation")
    assert 0.13 < one.mean() < 0.17
    assert 0.10 < other[one].mean() < 0.20


@pytest.mark.parametrize(
    ("text", "words"),
    [("a\0b", "control"), ("a\x7fb", "control"), ("a\x9bb", "control"), ("a\ud800b", "surrogate")],
)
def test_what_cannot_be_read_is_said(text, words):
    assert words in fault(text)


@pytest.mark.parametrize("text", ["tab\tand\nline", "₹500 \N{MONEY BAG}", "नमस्ते", "a\N{ZERO WIDTH JOINER}b"])
def test_what_people_write_is_fine(text):
    assert fault(text) == ""
