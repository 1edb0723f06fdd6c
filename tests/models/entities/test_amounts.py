from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.entities.amounts import amounts, percentages


def found(text: str) -> list[tuple[str, str, str | None]]:
    return [(text[one.start : one.end], one.written, one.currency) for one in amounts(text)]


def money(text: str) -> list[str]:
    return [text[one.start : one.end] for one in amounts(text) if one.money]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5 lakh in 3 months", ["5 lakh"]),
        ("50 hazaar do", ["50 hazaar"]),
        ("between 5k and 10k", ["5k", "10k"]),
        ("Please transfer 1310 bucks.", ["1310 bucks"]),
        ("what is the square root of 829", []),
        ("my pin is 4821", []),
        ("abc12 x9 1e5", []),
        ("do I have a card", []),
        ("call me in a hundred years", []),
        ("20 $30", ["$30"]),
        ("send $500 dollars", ["$500"]),
        ("Rs 500/- now", ["Rs 500/-"]),
        ("lakh lakh crore", []),
        ("a 5 k run", []),
        ("Rs 500 k liye", ["Rs 500"]),
        ("Rs 500 to 9876543210", ["Rs 500"]),
        ("$ 5.5 k", ["$ 5.5 k"]),
        ("50-60k", ["50", "60k"]),
    ],
)
def test_what_says_that_it_is_money(text, words):
    assert money(text) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$ 5.5 k", [("$ 5.5 k", "5500", "USD")]),
        ("Rs 5 l", [("Rs 5 l", "500000", "INR")]),
        ("50-60k", [("50", "50000", None), ("60k", "60000", None)]),
        ("₹50-60k", [("₹50", "50000", "INR"), ("60k", "60000", "INR")]),
        ("5 to 10 lakh", [("5", "500000", None), ("10 lakh", "1000000", None)]),
        ("2 se 3 lakh", [("2", "200000", None), ("3 lakh", "300000", None)]),
        ("60-50k", [("60", "60", None), ("50k", "50000", None)]),
        ("$50-₹60k", [("$50", "50", "USD"), ("₹60k", "60000", "INR")]),
        (
            "five hundred and fifty rupees fifty paise",
            [("five hundred and fifty rupees fifty paise", "550.5", "INR")],
        ),
        ("₹20 and 75 paise", [("₹20 and 75 paise", "20.75", "INR")]),
        ("50 paise", [("50 paise", "0.5", "INR")]),
        ("500 paise bhejo", [("500", "500", None)]),
        ("20 rupees 30", [("20 rupees", "20", "INR"), ("30", "30", None)]),
    ],
)
def test_multiples_ranges_and_paise(text, expected):
    assert found(text) == expected


def test_numbers_beside_each_other_stay_apart():
    assert found("two three four") == [("two", "2", None), ("three", "3", None), ("four", "4", None)]
    assert found("12, 13") == [("12", "12", None), ("13", "13", None)]


def test_a_number_with_more_digits_than_any_amount_is_none():
    assert money("₹" + "9" * 40) == []


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("8.5% interest", "0.085"),
        ("12 % off", "0.12"),
        ("7.25 percent", "0.0725"),
        ("five per cent", "0.05"),
        ("१०% ब्याज", "0.1"),
        ("10 pratishat", "0.1"),
        ("10 प्रतिशत", "0.1"),
    ],
)
def test_a_percentage_is_a_fraction(text, fraction):
    (one,) = percentages(text)
    assert one.fraction == Decimal(fraction)
    assert (one.start, text[one.end :].strip() in {"interest", "off", "ब्याज", ""}) == (0, True)


def test_an_amount_is_no_percentage():
    assert percentages("₹500% more") == []


@given(st.integers(0, 10**15), st.sampled_from(["₹{}", "Rs {}", "{} rupees", "INR {}", "{}/-"]))
def test_every_figure_is_read_exactly(number, form):
    text = form.format(number)
    assert found(text) == [(text, str(number), "INR")]


@given(
    st.integers(1, 99_999),
    st.sampled_from([("lakh", 10**5), ("crore", 10**7), ("k", 10**3), ("हज़ार", 10**3)]),
)
def test_multiples_multiply_exactly(hundredths, scale):
    name, factor = scale
    count = Decimal(hundredths) / 100
    text = f"{count}{name}" if name == "k" else f"{count} {name}"
    (one,) = amounts(text)
    assert Decimal(one.written) == count * factor
    assert "E" not in one.written


@given(st.text(max_size=200))
def test_amounts_lie_in_the_text_from_left_to_right(text):
    ends = [0]
    for one in amounts(text):
        assert ends[-1] <= one.start < one.end <= len(text)
        ends.append(one.end)
