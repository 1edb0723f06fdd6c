"""`intent` over HTTP: what a message asks for, how sure that is, and which words say so."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Len

from bentos.base import MOST_INPUTS, Json, ModelApi, api, pinned_files
from bentos.release import ReleasedModel
from bentos.serving import Answered, Serving
from finml.models.intent.contract import (
    NAME,
    Alternative,
    IntentExplanation,
    IntentInput,
    IntentOutput,
    WordContribution,
)
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.models.intent.runtime import Answer, IntentPredictor

PROBE = IntentInput(text="what is my balance?")

Inputs = Annotated[list[IntentInput], Len(1, MOST_INPUTS)]


class IntentScorer:
    """A loaded model that answers in the API's terms.

    Attributes:
        spec: the model's version, as in `intent@7`.
    """

    def __init__(self, predictor: "IntentPredictor", spec: str) -> None:
        self.predictor = predictor
        self.spec = spec

    def predict(self, inputs: Sequence[IntentInput]) -> list[IntentOutput]:
        """Answers to a batch, one an input in the same order."""
        answers = self.predictor.answer([asked.text for asked in inputs])
        return [IntentOutput(**self._fields(answer)) for answer in answers]

    def explain(self, inputs: Sequence[IntentInput]) -> list[IntentExplanation]:
        """The same with the share of each word."""
        return [
            IntentExplanation(
                **self._fields(answer),
                words=[
                    WordContribution(
                        word=word.word, start=word.start, end=word.end, contribution=word.contribution
                    )
                    for word in why.words
                ],
                capped=why.capped,
            )
            for answer, why in self.predictor.explain([asked.text for asked in inputs])
        ]

    def answers(self, inputs: Sequence[IntentInput], *, explain: bool) -> list[Answered]:
        """Answers for the service, see `bentos.serving.Scorer`."""
        found: Sequence[IntentOutput] = self.explain(inputs) if explain else self.predict(inputs)
        return [Answered(output) for output in found]

    def immediate(self, inputs: Sequence[IntentInput], *, explain: bool) -> bool:
        """Never: a text takes milliseconds, in which the event loop reads the next requests."""
        return False

    def probe(self) -> object:
        """Score a text."""
        return self.predict([PROBE])

    def _fields(self, answer: "Answer") -> dict[str, Any]:
        return {
            "intent": answer.intent,
            "intents": answer.intents,
            "confidence": answer.confidence,
            "alternatives": [
                Alternative(intent=intent, confidence=confidence)
                for intent, confidence in answer.alternatives
            ],
            "out_of_scope": answer.out_of_scope,
            "scope_score": answer.scope_score,
            "model_version": self.spec,
        }


def load(model: ReleasedModel, _: Settings) -> IntentScorer:
    """A scorer of a released version."""
    from finml.models.intent.runtime import IntentPredictor

    return IntentScorer(IntentPredictor.load(pinned_files(model)), model.spec)


class IntentApi(ModelApi):
    """What a message asks for."""

    serving = Serving(
        model=NAME,
        input=IntentInput,
        output=IntentOutput,
        explanation=IntentExplanation,
        load=load,
        # no user is named: the same text is answered by the same version
        sticky=lambda asked: asked.text,
        value=lambda answer: answer.confidence,
        # more do not cost less each; and while these are computed, the next ones come
        rows={"predict": 16, "explain": 32},
    )

    @api("predict", NAME)
    async def predict_intent(self, inputs: Inputs) -> Annotated[list[IntentOutput], Json]:
        """Intent, confidence and whether it is in scope, one answer an input in the same order."""
        return await self.answer(NAME, "predict", inputs)

    @api("explain", NAME)
    async def explain_intent(self, inputs: Inputs) -> Annotated[list[IntentExplanation], Json]:
        """The same, with what each word adds to the likeliest intent."""
        return await self.answer(NAME, "explain", inputs)


API = IntentApi
