"""What the synthetic users type: every sentence marked rightly, varied, and neither trivial nor hopeless."""

import json
import re
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from finml.ledger.annotations import faults
from finml.ledger.contracts import LANGUAGES, MAX_MESSAGE_LENGTH, MAX_SPANS_LENGTH, OUT_OF_SCOPE
from finml.ledger.synthetic.sentences.amounts import grouped
from finml.ledger.synthetic.sentences.chance import Chance
from finml.ledger.synthetic.sentences.compose import INTENTS, PHRASES, Message, compose, templates
from finml.ledger.synthetic.sentences.grammar import Piece, parse, write
from finml.ledger.synthetic.sentences.names import card_number
from finml.ledger.synthetic.sentences.slots import LABELS

FIRST_DAY = date(2023, 1, 1)
SHAPES = {
    "IFSC": r"[A-Z]{4}0\d{6}",
    "PAN": r"[A-Z]{3}P[A-Z]\d{4}[A-Z]",
    "UPI": r"[a-z0-9.]+@[a-z]+",
    "PERCENT": r"[\d.]+ ?(%|percent|per cent|pratishat|प्रतिशत)",
}


def named(message: Message) -> list[tuple[str, str]]:
    """What a message names: label and words."""
    return [(span["label"], message.text[span["start"] : span["end"]]) for span in json.loads(message.spans)]


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return [compose(7919 * number + 3, FIRST_DAY + timedelta(days=number % 730)) for number in range(3000)]


@given(st.integers(0, 2**53 - 1), st.dates(date(2015, 1, 1), date(2030, 12, 31)))
def test_what_is_marked_is_what_was_meant(seed: int, today: date) -> None:
    message = compose(seed, today)
    assert message == compose(seed, today)
    assert faults([message.spans], [message.text]) == [None]
    assert message.text == message.text.strip()
    assert "  " not in message.text
    assert 0 < len(message.text) <= MAX_MESSAGE_LENGTH
    assert len(message.spans) <= MAX_SPANS_LENGTH
    assert message.language in LANGUAGES
    spans = json.loads(message.spans)
    assert all(before["end"] <= after["start"] for before, after in pairwise(spans))
    for label, words in named(message):
        assert words == words.strip()
        if label in SHAPES:
            assert re.fullmatch(SHAPES[label], words, re.IGNORECASE), words
        if label == "CARD" and len(digits := re.sub(r"\D", "", words)) > 4:
            assert luhn.is_valid(digits)
        if label == "DATE":
            assert not words.lower().startswith(("in ", "on ", "by "))


@given(st.integers(0, 2**53 - 1))
def test_card_numbers_keep_their_check_digit(seed: int) -> None:
    assert luhn.is_valid(re.sub(r"\D", "", card_number(Chance(seed))))


@given(st.integers(0, 10**9))
def test_commas_stand_where_india_puts_them(amount: int) -> None:
    written = grouped(amount)
    assert int(written.replace(",", "")) == amount
    assert re.fullmatch(r"(\d{1,2},(\d{2},)*)?\d{1,3}", written)


def test_every_intent_language_and_label_is_there(messages: list[Message]) -> None:
    alone = Counter(message.intents for message in messages)
    asked = [intent for intent in INTENTS if intent != OUT_OF_SCOPE]
    assert len(asked) == 24
    assert all(60 <= alone[intent] <= 150 for intent in asked)
    assert 0.1 < alone[OUT_OF_SCOPE] / len(messages) < 0.16
    double = [message.intents.split("|") for message in messages if "|" in message.intents]
    assert 0.04 < len(double) / len(messages) < 0.1
    assert all(len(pair) == 2 and set(pair) < set(asked) for pair in double)
    language = Counter(message.language for message in messages)
    assert language["en"] > language["hinglish"] > language["hi"] > 50
    found = Counter(label for message in messages for label, _ in named(message))
    assert set(found) == set(LABELS.values()) - {None}
    assert min(found.values()) >= 20


def test_few_sentences_come_twice(messages: list[Message]) -> None:
    plain = Counter(re.sub(r"[\s.,!?।]+", " ", message.text.casefold()).strip() for message in messages)
    assert len(plain) > 0.95 * len(messages)


def test_a_plain_model_learns_the_intents_but_not_all(messages: list[Message]) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    single = [message for message in messages if "|" not in message.intents]
    texts, intents = [m.text for m in single], [m.intents for m in single]
    model = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2), LogisticRegression(C=10)
    )
    model.fit(texts[:1800], intents[:1800])
    assert 0.85 < model.score(texts[1800:], intents[1800:]) < 0.995


def test_every_template_is_well_formed() -> None:
    for intent, phrases in PHRASES.items():
        for language in ("en", "hinglish", "hi"):
            lines = phrases.lines(language)
            assert len(lines) == len(set(lines)) >= 2
            assert len(templates(intent, language)) == len(lines)


def test_a_sentence_is_what_its_template_says() -> None:
    phrase = parse("(pay|send) {MONEY} [now] to {PERSON} , {CITY}", LABELS)
    fillings = {"MONEY": "₹5", "PERSON": "Asha", "CITY": "Pune"}
    written = {tuple(write(phrase, Chance(seed), fillings.__getitem__)) for seed in range(50)}
    assert written == {
        (
            Piece(f"{verb} "),
            Piece("₹5", "MONEY"),
            Piece(f" {now}to "),
            Piece("Asha", "PERSON"),
            Piece(", Pune"),
        )
        for verb in ("pay", "send")
        for now in ("", "now ")
    }


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("(a|b", "not closed"),
        ("[a", "not closed"),
        ("(a|b]", "not closed"),
        ("a) b", "too many"),
        ("a|b", "too many"),
        ("{MONY}", "no slot 'MONY'"),
    ],
)
def test_a_malformed_template_is_refused(template: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(template, LABELS)
