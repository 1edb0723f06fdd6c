"""The routes that models answer on: from a request's bytes to inputs, from outputs to an answer's bytes."""

from typing import Annotated, Any

from annotated_types import Len
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from bentos.problems import EMPTY_BODY, Refusal, field_errors
from bentos.served import ServedModel
from bentos.serving import Action, Serving

MOST_INPUTS = 32
"""Inputs a request."""


class Route:
    """One action of one model.

    Attributes:
        path: as in `/predict/credit_risk`.
        request_type: the contract of a request's body.
        answer_type: the contract of one answer.
    """

    def __init__(self, served: ServedModel, action: Action) -> None:
        self.model, self.action = served, action
        self.path = path_of(served.name, action)
        serving = served.serving
        self.answer_type = serving.output if action == "predict" else serving.explanation
        self.request_type = request_type(serving, action)
        # the compiled validator, without the attributes' way to it
        self._parse = self.request_type.__pydantic_validator__.validate_json

    def parse(self, body: bytes) -> list[Any]:
        """The inputs of a request.

        Raises:
            Refusal: 400, naming each field that breaks the contract.
        """
        if not body:
            raise Refusal(400, errors=[EMPTY_BODY])
        try:
            inputs: list[Any] = self._parse(body, strict=True).inputs
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            raise Refusal(400, errors=field_errors(found)) from None
        return inputs


def path_of(model: str, action: Action) -> str:
    """Path of an action of a model."""
    return f"/{action}/{model}"


def request_type(serving: Serving, action: Action) -> type[BaseModel]:
    """The contract of a request's body: `{"inputs": [...]}` and nothing else."""
    inputs = Annotated[list[serving.input], Len(1, MOST_INPUTS)]  # type: ignore[name-defined]
    return create_model(
        f"{serving.input.__name__.removesuffix('Input')}{action.title()}Request",
        __config__=ConfigDict(extra="forbid"),
        inputs=(inputs, ...),
    )
