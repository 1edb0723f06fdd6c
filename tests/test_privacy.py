import json
import re
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from stdnum import luhn, verhoeff

from finml import privacy
from finml.models.requests import Message
from finml.privacy import mask, mask_model, mask_text, masked_json

MARK = re.compile(r"\[\[(\w+)\|(.*?)\]\]")
TEXTS = [
    line
    for line in Path(__file__).with_name("privacy_texts.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
WITH, WITHOUT = [t for t in TEXTS if MARK.search(t)], [t for t in TEXTS if not MARK.search(t)]


def test_the_texts_are_many_and_of_both_kinds():
    assert len(WITH) >= 120
    assert len(WITHOUT) >= 80
    assert len(set(TEXTS)) == len(TEXTS)


@pytest.mark.parametrize("marked", TEXTS)
def test_what_is_marked_goes_and_all_else_stays(marked):
    assert mask_text(MARK.sub(r"\2", marked)) == MARK.sub(r"<\1>", marked)


@pytest.mark.parametrize("marked", TEXTS)
def test_masking_again_changes_nothing(marked):
    once = mask_text(MARK.sub(r"\2", marked))
    assert mask_text(once) == once


# Words around a number, none of which says that it is the number of an order.
SAID = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "mera",
                "call",
                "₹500",
                "paid",
                "card",
                "on",
                "12/03/2024",
                "Rs 1,200.50",
                "hai",
                "bhejo",
                "10:30",
                "2000",
            ]
        ),
        st.text(st.characters(categories=("Ll", "Lu"), include_characters=".,!?"), min_size=1, max_size=8),
    ),
    max_size=4,
).map(" ".join)
# A number whose neighbours are no digits: `2000 9876543210` reads as one row of digits.
CLEAR = SAID.filter(lambda said: not re.search(r"^[\d(]|[\d+(.-]$", said))


SCHEMES = [("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("6521", 16), ("36", 14)]
CUTS = {16: (4, 8, 12), 15: (4, 10), 14: (4, 10)}
FORMS = [
    *("{0}{1}", "{0} {1}", "{0}-{1}", "0{0}{1}", "91-{0}{1}"),
    *("+91{0}{1}", "+91 {0} {1}", "(+91) {0}-{1}"),
]


@st.composite
def cards(draw):
    beginning, size = draw(st.sampled_from(SCHEMES))
    rest = size - len(beginning) - 1
    body = beginning + draw(st.text("0123456789", min_size=rest, max_size=rest))
    number = body + luhn.calc_check_digit(body)
    between = draw(st.sampled_from(["", " ", "-", ".", "\u00a0"]))
    return between.join(number[a:b] for a, b in pairwise((0, *CUTS[size], size)))


@st.composite
def phones(draw):
    # two halves of round hundreds are amounts in a row
    digits = draw(st.from_regex(r"[6-9][0-9]{9}", fullmatch=True).filter(lambda number: number[3:5] != "00"))
    return draw(st.sampled_from(FORMS)).format(digits[:5], digits[5:])


def written(pattern):
    return st.from_regex(pattern, fullmatch=True)


PANS = written(r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]")
AADHAARS = written(r"[2-9][0-9]{10}").map(lambda body: body + verhoeff.calc_check_digit(body))
EMAILS = written(r"[a-z0-9][a-z0-9._+]{0,20}[a-z0-9]@[a-z][a-z0-9-]{0,10}[a-z0-9]\.(in|com|co\.in)")
UPIS = written(r"[a-z][a-z0-9.]{2,20}@(ybl|oksbi|paytm|upi)")


@given(CLEAR, st.one_of(cards(), phones(), PANS, PANS.map(str.lower), AADHAARS, EMAILS, UPIS), CLEAR)
def test_what_says_who_somebody_is_never_survives(before, personal, after):
    masked = mask_text(f"{before} {personal} {after}")
    assert personal not in masked
    digits = "".join(filter(str.isdigit, personal))
    if len(digits) >= 10:
        assert digits not in "".join(filter(str.isdigit, masked))


@given(st.text())
def test_any_text_can_be_masked_and_then_is(text):
    once = mask_text(text)
    assert mask_text(once) == once


@given(
    SAID.map(lambda said: re.sub(r"\d[\d:/,.]*$", "", said)),
    st.one_of(
        st.integers(0, 10**11).map("₹{}".format),
        st.integers(0, 10**9).map("Rs {:,}".format),
        st.decimals(0, 10**9, places=2).map("INR {}".format),
        st.decimals(0, 10**9, places=2).map("{} rupees".format),
        st.dates(date(1900, 1, 1)).map(str),
        st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")),
        st.uuids().map(str),
        st.integers(0, 10**8).map("u{:08}".format),
        st.integers(1, 10**9).map("credit_risk@{}".format),
        st.binary(min_size=32, max_size=32).map(bytes.hex),
    ),
)
def test_amounts_times_and_opaque_ids_stay(before, kept):
    assert mask_text(f"{before} {kept}").endswith(f" {kept}")


def test_no_long_text_keeps_the_masking_busy():
    # growth with the square of the length would take minutes
    for part in ("1 ", "-1", "a@", "a.b", "at dot ", "://a:", "GB82 WEST ", "1,", "otp no ", "("):
        mask_text(part * (50_000 // len(part)))


class Asked(BaseModel):
    user_id: str
    text: str
    email: str
    amount: float
    at: date
    notes: list[dict[str, str]] = []


def test_inputs_of_a_model_are_masked_inside_and_their_amounts_stay():
    asked = Asked(
        user_id="9876543210",
        text="pay ₹500 to asha@ybl",
        email="x",
        amount=9876543210.0,
        at=date(2024, 3, 31),
        notes=[{"merchant": "call 9876543210", "phone": "1"}],
    )
    assert mask_model(asked) == {
        "user_id": "9876543210",
        "text": "pay ₹500 to <upi>",
        "email": "<email>",
        "amount": 9876543210.0,
        "at": "2024-03-31",
        "notes": [{"merchant": "call <phone>", "phone": "<phone>"}],
    }


def test_an_id_that_is_an_address_is_none_that_may_stay():
    assert mask_model({"user_id": "asha@example.in"}) == {"user_id": "<email>"}


def test_names_of_keys_are_compared_without_their_writing():
    headers = {"X-API-Key": "k", "Authorization": "Bearer x", "Accept": "*/*"}
    assert mask(headers) == {"X-API-Key": "<secret>", "Authorization": "<secret>", "Accept": "*/*"}


def test_what_is_not_there_stays_so():
    assert mask_model({"email": None, "text": None}) == {"email": None, "text": None}


@pytest.mark.parametrize("collection", [list, tuple, set, frozenset])
def test_collections_are_masked_inside(collection):
    assert mask(MappingProxyType({"a": collection(["9876543210"])})) == {"a": ["<phone>"]}


class Words(Message):
    text: str


class Ours(Message):
    own_words: ClassVar[bool] = True
    user_id: str
    reasons: list[Words]


def test_what_is_in_the_models_own_words_is_not_searched_but_its_own_fields_are():
    answer = Ours(user_id="a@example.com", reasons=[Words(text="4111 1111 1111 1111 times the balance")])
    masked = mask_model(answer)
    assert masked["user_id"] == "<email>"
    assert masked["reasons"] == [{"text": "4111 1111 1111 1111 times the balance"}]


class Anything(Message):
    text: str = ""
    user_id: str | None = None
    phone: float | dict[str, float] | None = None
    amounts: dict[str, float | None] | None = None
    words: list[str] | None = None
    answer: Ours | None = None
    limit: float = 0.0
    kind: Literal["rent", "9876543210"] | None = None
    mood: Literal["good", "bad"] = "good"
    card: int | None = None
    at: datetime | None = None


SOME_NAMES = st.sampled_from(
    ["rent_90d", "balance", "asha@example.org", "card", "4111 1111 1111 1111", "Ünï", ""]
)
SOME_TEXTS = st.sampled_from(
    ["rent", "call 9876543210", "asha@example.org", "4111 1111 1111 1111", "u-17", ""]
)


OURS = st.builds(Ours, user_id=SOME_TEXTS, reasons=st.lists(st.builds(Words, text=SOME_TEXTS)))


@given(
    OURS
    | st.builds(
        Anything,
        text=SOME_TEXTS,
        user_id=st.none() | SOME_TEXTS,
        phone=st.none() | st.floats(0, 1e10) | st.just({"home": 9876543210.0}),
        amounts=st.none() | st.dictionaries(SOME_NAMES, st.none() | st.floats(-1e9, 1e9)),
        words=st.none() | st.lists(SOME_TEXTS, max_size=2),
        answer=st.none() | OURS,
        limit=st.floats(-1e10, 1e10),
        kind=st.sampled_from(["rent", "9876543210", None]),
        mood=st.sampled_from(["good", "bad"]),
        card=st.none() | st.integers(0, 10**16),
        at=st.none() | st.datetimes(),
    )
)
def test_the_quick_way_to_json_masks_what_the_long_one_does(value):
    assert json.loads(masked_json(value)) == mask_model(value)


@pytest.mark.parametrize(
    ("value", "quick"),
    [
        (Anything(text="rent", amounts={"rent_90d": 3.0, "balance": None}), True),
        (Ours(user_id="u-17", reasons=[Words(text="call 9876543210")]), True),
        (Anything(text="call 9876543210"), False),
        (Anything(amounts={"asha@example.org": 1.0}), False),
        (Anything(phone={"home": 9876543210.0}), False),
        (Anything(phone=9876543210.0), False),
        (Anything(words=["rent"]), False),
        (Anything(limit=9876543210.0, mood="bad"), True),
        (Anything(kind="rent"), True),
        (Anything(kind="9876543210"), False),
        (Anything(card=4111), False),
        (Anything(text="rent " * 30), False),
        (Ours(user_id="asha@example.org", reasons=[]), False),
    ],
)
def test_what_cannot_be_personal_is_not_taken_apart(monkeypatch, value, quick):
    taken = []
    monkeypatch.setattr(privacy, "mask_model", lambda value, said: taken.append(value) or {})
    masked_json(value)
    assert bool(taken) is not quick


def test_a_text_that_was_masked_before_is_masked_again():
    assert [mask_text("write to a@example.com") for _ in range(2)] == ["write to <email>"] * 2


def test_names_are_masked_as_well():
    told = mask_model({"spent": {"asha@example.org": [1.0], "4111 1111 1111 1111": [2.0], "rent_90d": [3.0]}})
    assert told == {"spent": {"<email>": [1.0], "<card>": [2.0], "rent_90d": [3.0]}}
