"""A model for tests of the service: doubles numbers, and fails, waits or hangs where it is told to."""

import threading
from collections.abc import Mapping, Sequence

from pydantic import Field

from bentos.serving import Answered, Serving
from finml.errors import DataError, FeatureError
from finml.models.requests import Message


class Number(Message):
    """An input."""

    user_id: str | None = None
    number: int = Field(ge=-10, le=10**6)


class Doubled(Message):
    """An answer."""

    doubled: int
    model_version: str


class Doubler:
    """Scores numbers. Attributes say what goes wrong."""

    def __init__(self, spec: str = "doubling@1", *, inline: bool = False) -> None:
        self.spec = spec
        self.inline = inline
        self.error: Exception | None = None
        self.free = threading.Event()
        self.free.set()
        self.began = threading.Event()
        self.batches: list[list[int]] = []

    def answers(self, inputs: Sequence[Number], *, explain: bool) -> list[Answered]:
        self.began.set()
        assert self.free.wait(10)
        self.batches.append([asked.number for asked in inputs])
        if self.error:
            raise self.error
        if any(asked.number == -1 for asked in inputs):
            raise DataError("no negative numbers today")
        if any(asked.number == -2 for asked in inputs):
            raise FeatureError("the store is away", hint="wait")
        return [
            Answered(Doubled(doubled=2 * asked.number, model_version=self.spec), {"number": asked.number})
            for asked in inputs
        ]

    def immediate(self, inputs: Sequence[Number], *, explain: bool) -> bool:
        return self.inline

    def probe(self) -> object:
        return self.answers([Number(number=1)], explain=False)


def doubling(decision=None) -> Serving:
    """How the model is served."""

    def load(model, settings) -> Doubler:
        return Doubler(model.spec)

    return Serving(
        model="doubling",
        input=Number,
        output=Doubled,
        explanation=Doubled,
        load=load,
        value=lambda answer: float(answer.doubled),
        decision=decision,
    )


def decided(answer: Doubled) -> Mapping[str, int]:
    """What an answer decides, for tests of the audit log."""
    return {"doubled": answer.doubled}
