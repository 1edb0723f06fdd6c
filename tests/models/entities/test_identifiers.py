import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from finml.models.entities.identifiers import identifiers


def found(text: str) -> list[tuple[str, str, str, bool]]:
    return [(text[one.start : one.end], one.label, one.normal, one.checked) for one in identifiers(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pay rahul.k@okaxis now", ("rahul.k@okaxis", "UPI", "rahul.k@okaxis", False)),
        ("9876543210@ybl", ("9876543210@ybl", "UPI", "9876543210@ybl", False)),
        ("ifsc hdfc0001234.", ("hdfc0001234", "IFSC", "HDFC0001234", False)),
        ("HDFC0001234 for the transfer", ("HDFC0001234", "IFSC", "HDFC0001234", False)),
        ("hdfc0001234 is my ifsc", ("hdfc0001234", "IFSC", "HDFC0001234", False)),
        ("my upi id is ravi@newbank", ("ravi@newbank", "UPI", "ravi@newbank", False)),
        ("ravi@newbank (vpa)", ("ravi@newbank", "UPI", "ravi@newbank", False)),
        ("pay ravi@newbank", ("ravi@newbank", "UPI", "ravi@newbank", False)),
        ("IFSC code SBIN0ABC123", ("SBIN0ABC123", "IFSC", "SBIN0ABC123", False)),
        ("my pan is abcpe1234f", ("abcpe1234f", "PAN", "ABCPE1234F", True)),
        ("4111 1111 1111 1111", ("4111 1111 1111 1111", "CARD", "4111111111111111", True)),
        ("4111-1111-1111-1111", ("4111-1111-1111-1111", "CARD", "4111111111111111", True)),
        ("block my credit card ending 4821", ("credit card ending 4821", "CARD", "4821", False)),
        ("card XX4821 lost", ("card XX4821", "CARD", "XX4821", False)),
        ("कार्ड 4821 बंद करो", ("कार्ड 4821", "CARD", "4821", False)),
        ("a/c XX4821", ("a/c XX4821", "ACCOUNT", "XX4821", False)),
        ("account no. 123456789012", ("account no. 123456789012", "ACCOUNT", "123456789012", False)),
        ("खाता ४८२१ में", ("खाता ४८२१", "ACCOUNT", "4821", False)),
    ],
)
def test_identifiers_are_found_and_written_in_full(text, expected):
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "mail me at a.b@example.com",
        "4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "ABCXE1234F",
        "HDFC1001234",
        "school of abcd0123456",
        "Hdfc0001234 is a school",
        "ravi@gmail",
        "pay ravi@gmail",
        "meet me ravi@home",
        "call 9876543210",
        "account 2024 statement",
        "₹4,111,111,111,111,111",
        "card 4111 1111 1111 1112",
    ],
)
def test_what_only_looks_like_one_is_none(text):
    assert found(text) == []


@given(st.integers(4 * 10**14, 7 * 10**14 - 1), st.integers(0, 9))
def test_a_card_number_counts_only_with_its_check_digit(number, digit):
    text = f"{number}{digit}"
    assert bool(found(text)) == luhn.is_valid(text)
