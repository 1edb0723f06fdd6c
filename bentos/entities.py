"""`entities` over HTTP: reads messages, names what is in them and what it means."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Len

from bentos.base import MOST_INPUTS, Json, ModelApi, api, pinned_files
from bentos.release import ReleasedModel
from bentos.serving import Answered, Serving
from finml.models.entities.contract import (
    NAME,
    EntitiesExplanation,
    EntitiesInput,
    EntitiesOutput,
    Entity,
)
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.models.entities.runtime import EntitiesPredictor

PROBE = EntitiesInput(text="send ₹500 to Rahul tomorrow")

Inputs = Annotated[list[EntitiesInput], Len(1, MOST_INPUTS)]


class EntitiesReader:
    """A loaded model with its version.

    Attributes:
        spec: the model's version, as in `entities@7`.
    """

    def __init__(self, predictor: "EntitiesPredictor", spec: str) -> None:
        self.predictor = predictor
        self.spec = spec

    def predict(self, inputs: Sequence[EntitiesInput]) -> list[EntitiesOutput]:
        """Answers to a batch, one an input in the same order."""
        return [
            EntitiesOutput(entities=entities, model_version=self.spec)
            for entities in self.predictor.extract(inputs)
        ]

    def explain(self, inputs: Sequence[EntitiesInput]) -> list[EntitiesExplanation]:
        """The same with everything that was found on the way."""
        return [
            EntitiesExplanation(
                entities=[
                    Entity(**one.model_dump(include=set(Entity.model_fields))) for one in found if one.kept
                ],
                model_version=self.spec,
                found=found,
            )
            for found in self.predictor.explain(inputs)
        ]

    def answers(self, inputs: Sequence[EntitiesInput], *, explain: bool) -> list[Answered]:
        """Answers for the service, see `bentos.serving.Scorer`."""
        found: Sequence[EntitiesOutput] = self.explain(inputs) if explain else self.predict(inputs)
        return [Answered(output) for output in found]

    def immediate(self, inputs: Sequence[EntitiesInput], *, explain: bool) -> bool:
        """Never: a text takes a millisecond and more."""
        return False

    def probe(self) -> object:
        """Read a message."""
        return self.predict([PROBE])


def load(model: ReleasedModel, _: Settings) -> EntitiesReader:
    """A reader of a released version."""
    from finml.models.entities.runtime import EntitiesPredictor

    return EntitiesReader(EntitiesPredictor.load(pinned_files(model)), model.spec)


class EntitiesApi(ModelApi):
    """Which amounts, dates, merchants, people and accounts a message names."""

    serving = Serving(
        model=NAME,
        input=EntitiesInput,
        output=EntitiesOutput,
        explanation=EntitiesExplanation,
        load=load,
        # no user is named: the same text is answered by the same version
        sticky=lambda asked: asked.text,
        value=lambda answer: float(len(answer.entities)),
    )

    @api("predict", NAME)
    async def predict_entities(self, inputs: Inputs) -> Annotated[list[EntitiesOutput], Json]:
        """The entities of each message with offsets and values, one answer an input in the same order."""
        return await self.answer(NAME, "predict", inputs)

    @api("explain", NAME)
    async def explain_entities(self, inputs: Inputs) -> Annotated[list[EntitiesExplanation], Json]:
        """The same, with what found each entity, what gave way to what, and how each value was read."""
        return await self.answer(NAME, "explain", inputs)


API = EntitiesApi
