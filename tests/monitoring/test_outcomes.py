"""What may be told of an outcome."""

import pytest
from pydantic import ValidationError

from finml.monitoring.outcomes import IntentOutcome

ID = "0" * 32


def test_an_intent_is_told_by_its_name():
    told = IntentOutcome(model="intent", request_id=ID, intent="reverted_card_payment?")
    assert told.intent == "reverted_card_payment?"


@pytest.mark.parametrize("name", ["priya@example.com", "card 4111 1111 1111 1111"])
def test_what_names_a_person_is_no_intent(name):
    with pytest.raises(ValidationError, match="must be a name of the model's"):
        IntentOutcome(model="intent", request_id=ID, intent=name)
