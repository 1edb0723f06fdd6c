import numpy as np
import pytest

from finml.models.anomaly.behaviour import TOPICS, behaviour
from finml.models.anomaly.habits import Transaction
from finml.models.anomaly.words import WORDS, column_words, ordinal
from tests.models.anomaly.test_behaviour import DAY_S, HOUR_S, habits, later, paid


@pytest.mark.parametrize(
    ("topic", "asked", "recent", "words"),
    [
        ("amount", paid(amount=1_800.0), [], "18 times your usual dining amount"),
        ("amount", paid(amount=250.0), [], "2.5 times your usual dining amount"),
        (
            "amount",
            paid(amount=5_000.0, category="shopping"),
            [],
            "50 times what you usually pay this merchant",
        ),
        (
            "amount",
            paid(amount=900.0, category="shopping", merchant="Bar"),
            [],
            "9.0 times what you usually pay",
        ),
        ("time", later(12 * HOUR_S), [], "at an hour at which you rarely pay"),
        ("time", later(5 * DAY_S), [], "on a day of the week on which you rarely pay"),
        ("novelty", paid(merchant="Bar"), [], "first payment to this merchant"),
        ("novelty", paid(category="health"), [], "first payment for health"),
        (
            "novelty",
            paid(merchant="Bar", category="other_income"),
            [],
            "first payment to this merchant and first for other income",
        ),
        ("pace", paid(), [later(-60), later(-120)], "third payment within an hour"),
        ("pace", paid(), [later(-3 * HOUR_S * n) for n in range(1, 6)], "sixth payment within a day"),
        (
            "repetition",
            paid(),
            [later(-60), later(-120)],
            "third payment of the same amount to this merchant within an hour",
        ),
        (
            "repetition",
            paid(amount=90.0),
            [later(-60), later(-9)],
            "third payment to this merchant within an hour",
        ),
        (
            "repetition",
            paid(merchant=None),
            [later(-60, merchant=None)],
            "second payment of the same amount for dining within an hour",
        ),
        (
            "recurring",
            later(-15 * DAY_S, category="rent", merchant="Landlord", amount=10_000.0),
            [],
            "15 days after the last payment to this merchant, usually 30",
        ),
        (
            "recurring",
            paid(category="rent", merchant="Landlord", amount=25_000.0),
            [],
            "2.5 times the amount of this recurring payment",
        ),
    ],
)
def test_words(topic, asked, recent, words):
    assert WORDS[topic](asked, behaviour(asked, habits(), recent)) == words


def test_every_topic_has_words():
    assert set(WORDS) == set(TOPICS)


def test_a_large_amount_of_somebody_unknown_has_words_too():
    one = Transaction(0.0, 1e6, "rent")
    assert WORDS["amount"](one, behaviour(one, habits(n=0))) == "a large amount for rent"


def test_numbers_are_counted_in_words_as_far_as_they_have_one():
    assert [ordinal(number) for number in (2, 8, 9, 12, 51, 112)] == [
        *("second", "eighth", "9th", "12th", "51st", "112th")
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (101.0, "V1 is 101, higher than in any training row (usually 25 to 75)"),
        (-1.0, "V1 is -1, lower than in any training row (usually 25 to 75)"),
        (97.5, "V1 is 97.5, higher than in 97 % of the training rows (usually 25 to 75)"),
        (1.5, "V1 is 1.5, lower than in 98 % of the training rows (usually 25 to 75)"),
    ],
)
def test_a_column_s_value_in_words(value, words):
    assert column_words("V1", value, np.linspace(0, 100, 101)) == words
