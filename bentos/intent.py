"""`intent` over HTTP: what a message asks for, how sure that is, and which words say so."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Len

from bentos.base import MOST_INPUTS, Json, ModelApi, batched, pinned_files
from finml.models.intent.contract import (
    NAME,
    Alternative,
    IntentExplanation,
    IntentInput,
    IntentOutput,
    WordContribution,
)

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


class IntentApi(ModelApi):
    """What a message asks for."""

    def __init__(self) -> None:
        super().__init__()
        from finml.models.intent.runtime import IntentPredictor

        model = self.release.model(NAME)
        self.intent = IntentScorer(IntentPredictor.load(pinned_files(model)), model.spec)
        self.probes[NAME] = lambda: self.intent.predict([PROBE])

    @batched("/predict/intent")
    def predict_intent(self, inputs: Inputs) -> Annotated[list[IntentOutput], Json]:
        """Intent, confidence and whether it is in scope, one answer an input in the same order."""
        return self.intent.predict(inputs)

    @batched("/explain/intent", rows=MOST_INPUTS)
    def explain_intent(self, inputs: Inputs) -> Annotated[list[IntentExplanation], Json]:
        """The same, with what each word adds to the likeliest intent."""
        return self.intent.explain(inputs)


API = IntentApi
