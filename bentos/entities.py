"""`entities` over HTTP: reads messages, names what is in them and what it means."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from annotated_types import Len

from bentos.base import MOST_INPUTS, Json, ModelApi, batched, pinned_files
from finml.models.entities.contract import (
    NAME,
    EntitiesExplanation,
    EntitiesInput,
    EntitiesOutput,
    Entity,
)

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


class EntitiesApi(ModelApi):
    """Which amounts, dates, merchants, people and accounts a message names."""

    def __init__(self) -> None:
        super().__init__()
        from finml.models.entities.runtime import EntitiesPredictor

        model = self.release.model(NAME)
        self.entities = EntitiesReader(EntitiesPredictor.load(pinned_files(model)), model.spec)
        self.probes[NAME] = lambda: self.entities.predict([PROBE])

    @batched("/predict/entities")
    def predict_entities(self, inputs: Inputs) -> Annotated[list[EntitiesOutput], Json]:
        """The entities of each message with offsets and values, one answer an input in the same order."""
        return self.entities.predict(inputs)

    @batched("/explain/entities")
    def explain_entities(self, inputs: Inputs) -> Annotated[list[EntitiesExplanation], Json]:
        """The same, with what found each entity, what gave way to what, and how each value was read."""
        return self.entities.explain(inputs)


API = EntitiesApi
