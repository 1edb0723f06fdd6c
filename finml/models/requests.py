"""What the requests of all models are made of."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from finml.ledger.declaration import MAX_ID_LENGTH


class Message(BaseModel):
    """Base of requests and answers: no unknown field, no number that is none.

    Attributes:
        own_words: whether all texts that it nests are the model's own, so that none can quote a person.
    """

    own_words: ClassVar[bool] = False

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def without_control(text: str) -> str:
    """`text`, which must hold no control character.

    Raises:
        ValueError: it does.
    """
    if not text.isprintable() and any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not hold control characters")
    return text


UserId = Annotated[
    str, Field(min_length=1, max_length=MAX_ID_LENGTH, strict=True), AfterValidator(without_control)
]
"""A user of the ledger."""
