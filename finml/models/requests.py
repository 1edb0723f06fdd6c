"""What the requests of all models are made of."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from finml.ledger.declaration import MAX_ID_LENGTH


class Message(BaseModel):
    """Base of requests and answers: no unknown field, no number that is none.

    Attributes:
        own_words: whether all texts that it nests are ours, a model's words or names that a validator
            knows, so that none can quote a person.
    """

    own_words: ClassVar[bool] = False

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Written:
    """Says in the JSON Schema of a text what a validator checks: callers and fuzzers read nothing else.

    Attributes:
        pattern: that the texts match; nothing is checked by it.
    """

    pattern: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema with the pattern."""
        return {**handler(schema), "pattern": self.pattern}


def without_control(text: str) -> str:
    """`text`, which must hold no control character.

    Raises:
        ValueError: it does.
    """
    if not text.isprintable() and any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not hold control characters")
    return text


NO_CONTROL = Written(r"^[^\u0000-\u001f\u007f]*$")
"""`without_control`, as JSON Schema says it."""
NO_CONTROL_BUT_BREAKS = Written(r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$")
"""The same of what people type, which may hold tabs and line breaks."""

UserId = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ID_LENGTH, strict=True),
    AfterValidator(without_control),
    NO_CONTROL,
]
"""A user of the ledger."""
