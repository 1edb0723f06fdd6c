"""What goes into `intent` and what comes out: columns, labels, requests and answers."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from finml.models.intent.texts import LEAST_LENGTH, MOST_LENGTH, fault
from finml.models.requests import NO_CONTROL_BUT_BREAKS, Message

NAME = "intent"
TEXT = "text"
LABEL = "intent"
SEPARATOR = "|"
"""Between the intents of one text."""
OUT_OF_SCOPE = "oos"
"""Label of a text that asks for none of the intents."""
ALTERNATIVES = 3


def _plain(text: str) -> str:
    if found := fault(text):
        raise ValueError(found)
    return text


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=LEAST_LENGTH, max_length=MOST_LENGTH, strict=True),
    AfterValidator(_plain),
    NO_CONTROL_BUT_BREAKS,
]


class IntentInput(Message):
    """A message that a user wrote."""

    text: Text = Field(
        description=f"{LEAST_LENGTH} to {MOST_LENGTH} characters once stripped; no control characters but "
        "tabs and line breaks"
    )


class Alternative(Message):
    """An intent with its probability."""

    intent: str
    confidence: float = Field(ge=0, le=1, description="calibrated probability")


class IntentOutput(Message):
    """The answer about one message."""

    own_words: ClassVar[bool] = True

    intent: str = Field(description="the likeliest intent, whether or not the message is in scope")
    intents: list[str] = Field(
        description="what the message asks for: one intent, or several where the model was trained on texts "
        "with several; empty when it is out of scope"
    )
    confidence: float = Field(ge=0, le=1, description="calibrated probability of `intent`")
    alternatives: list[Alternative] = Field(description=f"the {ALTERNATIVES} likeliest, `intent` first")
    out_of_scope: bool = Field(description="whether the message asks for none of the intents")
    scope_score: float = Field(description="how far in scope it is; out of scope below 0")
    model_version: str = Field(description="name and number, as in intent@7")


class WordContribution(Message):
    """One word of a message and what it adds to the answer."""

    word: str
    start: int = Field(ge=0, description="first character in the stripped text")
    end: int = Field(gt=0, description="character after the last")
    contribution: float = Field(
        description="log-odds of `intent` with the word less those without it: above 0 where it speaks for it"
    )


class IntentExplanation(IntentOutput):
    """The answer about one message with the share of every word in it."""

    # it quotes the message
    own_words: ClassVar[bool] = False

    words: list[WordContribution] = Field(description="in the order of the text")
    capped: bool = Field(description="whether the text has more words than are looked at")
