import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.intent.explain import MOST_CHARACTERS, MOST_WORDS, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where's my card?!", ["Where's", "my", "card"]),
        ("(send) ₹1,500.50 ...", ["send", "₹1,500.50"]),
        ("मेरा बैलेंस", ["मेरा", "बैलेंस"]),
        ("hi \N{MONEY BAG}", ["hi", "\N{MONEY BAG}"]),
        ("--- ???", []),
    ],
)
def test_words_are_what_stands_between_white_space(text, words):
    assert [text[start:end] for start, end in words_of(text).spans] == words


@given(st.text())
def test_words_lie_in_the_text_in_order_and_leave_it_shorter(text):
    words = words_of(text)
    flat = [place for span in words.spans for place in span]
    assert flat == sorted(flat)
    assert len(words.spans) <= MOST_WORDS
    for place, (start, end) in enumerate(words.spans):
        assert start < end <= len(text)
        assert len(words.without(place)) <= len(text) - (end - start)


def test_a_long_text_is_capped_and_says_so():
    assert not words_of("word " * MOST_WORDS).capped
    long = words_of("word " * (MOST_WORDS + 1))
    assert long.capped
    assert len(long.spans) == MOST_WORDS


def test_fewer_words_of_a_long_text_are_looked_at():
    long = words_of("word " * 100)
    assert long.capped
    assert len(long.spans) * len(long.text) <= MOST_CHARACTERS


def test_contributions_belong_to_the_likeliest_intent(predictor):
    text = "hi, please block my debit card"
    ((answer, why),) = predictor.explain([text])
    (alone,) = predictor.answer([text])
    assert (answer.intent, answer.out_of_scope) == (alone.intent, alone.out_of_scope)
    assert answer.confidence == pytest.approx(alone.confidence, abs=1e-5)
    assert answer.intent == "card_block"
    assert [text[word.start : word.end] for word in why.words] == [word.word for word in why.words]
    strongest = max(why.words, key=lambda word: word.contribution)
    assert strongest.word in {"block", "card", "debit"}


def test_a_contribution_is_what_taking_the_word_away_changes(predictor):
    import numpy as np

    text = "block my card"
    ((answer, why),) = predictor.explain([text])
    place = predictor.labels.index(answer.intent)

    def odds(asked: str) -> float:
        share = predictor.score([asked]).probabilities[0, place]
        return float(np.log(share / (1 - share)))

    for word, rest in zip(why.words, ["my card", "block card", "block my"], strict=True):
        assert word.contribution == pytest.approx(odds(text) - odds(rest), abs=1e-3)


def test_a_text_without_words_has_an_answer_and_no_contribution(predictor):
    ((answer, why),) = predictor.explain(["?!?!"])
    assert answer.alternatives
    assert why.words == []
