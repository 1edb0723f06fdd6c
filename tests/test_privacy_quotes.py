"""What a model's answer quotes of a message is masked as the message is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.models.entities.contract import EntitiesExplanation, EntitiesOutput, Entity, Found, MoneyValue
from finml.models.intent.contract import IntentExplanation, WordContribution
from finml.privacy import mask_text, masked_json
from finml.privacy.quotes import masked_spans


def entities(text: str, *quotes: str) -> EntitiesOutput:
    found = []
    for quote in quotes:
        start = text.index(quote)
        value = MoneyValue(amount=quote, currency="INR", assumed=True)
        place = {"start": start, "end": start + len(quote)}
        found.append(Entity(type="MONEY", text=quote, value=value, source="rule", **place))
    return EntitiesOutput(entities=found, model_version="entities@1")


def explained(text: str) -> IntentExplanation:
    words, place = [], 0
    for word in text.split():
        start = text.index(word, place)
        place = start + len(word)
        words.append(WordContribution(word=word, start=start, end=place, contribution=0.5))
    return IntentExplanation(
        intent="block_card",
        intents=["block_card"],
        confidence=0.9,
        alternatives=[],
        out_of_scope=False,
        scope_score=1.0,
        model_version="intent@1",
        words=words,
        capped=False,
    )


@pytest.mark.parametrize(
    ("text", "secrets", "kept"),
    [
        ("card 4111 1111 1111 1111 is blocked", ["4111", "1111"], ["card", "is", "blocked"]),
        ("password is hunter2leak please reset", ["hunter2leak"], ["password", "please", "reset"]),
        ("my otp is 482913 and 500 rupees went", ["482913"], ["500", "rupees", "went"]),
        ("aadhaar 2341 2341 2346 and cvv 917 declined", ["2341", "2346", "917"], ["declined"]),
        ("my phone is 98765 43210 thanks", ["98765", "43210"], ["thanks"]),
    ],
)
def test_words_of_what_is_masked_are_masked(text, secrets, kept):
    logged = masked_json(explained(text), text).decode()
    for secret in secrets:
        assert secret not in logged
    words = [one["word"] for one in json.loads(logged)["words"]]
    assert set(kept) <= set(words)
    assert "<masked>" in words


def test_an_entity_in_what_is_masked_keeps_no_text_and_no_value():
    text = "otp 482913, 500 rupees went to +44 20 7946 0958"
    answer = entities(text, "482913", "500 rupees", "20 7946 0958")
    otp, money, phone = json.loads(masked_json(answer, text))["entities"]
    assert otp == answer.entities[0].model_dump() | {"text": "<masked>", "value": None}
    assert phone["text"] == "<masked>"
    assert money == answer.entities[1].model_dump()


def test_what_an_explanation_found_on_its_way_is_masked_too():
    text = "cvv 917 declined"
    dropped = Found(
        type="MONEY",
        text="917",
        start=4,
        end=7,
        source="rule",
        rule="bare",
        kept=False,
        because="gave way to cvv 917",
        value=MoneyValue(amount="917", currency="INR", assumed=True),
        reading="917",
    )
    answer = EntitiesExplanation(entities=[], model_version="entities@1", found=[dropped])
    assert "917" not in masked_json(answer, text).decode()


def test_an_answer_about_a_harmless_text_is_as_it_was():
    text = "500 rupees went"
    answer = entities(text, "500 rupees")
    assert json.loads(masked_json(answer, text)) == answer.model_dump(mode="json")


PARTS = st.sampled_from(
    [
        "card 4111 1111 1111 1111",
        "a@b.example",
        "rent",
        "<card>",
        "pin 4321",
        "500 rupees",
        " ",
        "é",
        "ok@upi",
    ]
)


@given(st.lists(PARTS, max_size=8).map(" ".join))
def test_what_lies_outside_of_the_spans_is_what_the_log_shows(text):
    masked = mask_text(text)
    spans = masked_spans(text, masked)
    shown = "".join(one for place, one in enumerate(text) if not any(a <= place < b for a, b in spans))
    left = iter(masked)
    # in the same order
    assert all(one in left for one in shown)
