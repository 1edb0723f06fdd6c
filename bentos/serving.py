"""What a model's module tells the service: its contract, how it is loaded, and what its answers are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel

from bentos.release import ReleasedModel
from finml.settings import Settings

Action = Literal["predict", "explain"]
ACTIONS: tuple[Action, ...] = ("predict", "explain")


class Answered(NamedTuple):
    """The answer to one input.

    Attributes:
        output: as the caller gets it.
        features: what was read for the input, for the logs; `None` where the model looks at the input alone.
    """

    output: BaseModel
    features: Mapping[str, Any] | None = None


class Scorer(Protocol):
    """One loaded version of a model.

    Attributes:
        spec: the version, as in `credit_risk@7`.
    """

    spec: str

    def answers(self, inputs: Sequence[Any], *, explain: bool) -> list[Answered]:
        """Answers to a batch, one an input in the same order.

        Raises:
            FeatureError: features have to be read and cannot be.
            DataError: the model cannot answer one of the inputs.
        """
        ...

    def immediate(self, inputs: Sequence[Any], *, explain: bool) -> bool:
        """Whether answering takes well below a millisecond a row and waits for nothing outside."""
        ...

    def probe(self) -> object:
        """Read and score as a request would; raises where that fails."""
        ...


@dataclass(frozen=True)
class Serving:
    """How a model is served.

    Attributes:
        model: its name.
        input, output, explanation: contracts of one item; `predict` answers outputs, `explain` explanations.
        load: a scorer of a released version; may read the settings, connects to nothing.
        value: the number that stands for an answer where two versions' answers are compared, as the score.
        decision: what an answer decides about a person, for the audit log; `None` where it decides nothing.
        subject: the user that an input is about; `None` where it names none.
        sticky: what an input goes to one version by, always the same; by default its user. Inputs without one
            are dealt out by chance.
        rows: most rows a batch of each action.
    """

    model: str
    input: type[BaseModel]
    output: type[BaseModel]
    explanation: type[BaseModel]
    load: Callable[[ReleasedModel, Settings], Scorer]
    value: Callable[[Any], float]
    decision: Callable[[Any], Mapping[str, Any]] | None = None
    subject: Callable[[Any], str | None] = lambda asked: getattr(asked, "user_id", None)
    sticky: Callable[[Any], str | None] = lambda asked: getattr(asked, "user_id", None)
    rows: Mapping[Action, int] | None = None
