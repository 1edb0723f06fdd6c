"""`credit_risk` over HTTP: reads features, scores, gives reasons."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

from annotated_types import Len

from bentos import release
from bentos.base import MOST_INPUTS, Json, ModelApi, api, pinned_files
from bentos.features import ServedFeatures, served_features
from bentos.release import FEATURES_FOLDER, ReleasedModel
from bentos.serving import Answered, Serving
from bentos.stored_rows import FeatureReader, cached, stored_rows
from finml.models.credit_risk.contract import (
    NAME,
    CreditRiskExplanation,
    CreditRiskInput,
    CreditRiskOutput,
    CreditRiskReason,
    loan_records,
)
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.features.online import FeatureRow
    from finml.models.credit_risk.explain import Reason
    from finml.models.credit_risk.runtime import CreditRiskPredictor, Judgement

PROBE = CreditRiskInput(user_id="probe", loan_amount=1000.0)

Inputs = Annotated[list[CreditRiskInput], Len(1, MOST_INPUTS)]


class CreditRiskScorer:
    """A loaded model with the features it reads.

    Attributes:
        spec: the model's version, as in `credit_risk@7`.
    """

    def __init__(self, predictor: "CreditRiskPredictor", features: FeatureReader, spec: str) -> None:
        self.predictor = predictor
        self.features = features
        self.spec = spec

    def predict(self, inputs: Sequence[CreditRiskInput]) -> list[CreditRiskOutput]:
        """Answers to a batch, one an input in the same order.

        Raises:
            FeatureError: features have to be read and cannot be.
        """
        return cast("list[CreditRiskOutput]", [output for output, _ in self.answers(inputs, explain=False)])

    def explain(self, inputs: Sequence[CreditRiskInput]) -> list[CreditRiskExplanation]:
        """The same with the share of each feature. Errors as for `predict`."""
        found = [output for output, _ in self.answers(inputs, explain=True)]
        return cast("list[CreditRiskExplanation]", found)

    def answers(self, inputs: Sequence[CreditRiskInput], *, explain: bool) -> list[Answered]:
        """Answers for the service, with what the model looked at; see `bentos.serving.Scorer`."""
        users = self._users(inputs)
        told = [
            {} if user is None else asked.request_row() for asked, user in zip(inputs, users, strict=True)
        ]
        rows = stored_rows(self.features, users, told)
        stored = [
            row.numbers if row else asked.features or {} for asked, row in zip(inputs, rows, strict=True)
        ]
        records = loan_records(inputs, stored)
        judged = self.predictor.judge(records, [asked.reasons for asked in inputs], explain=explain)
        return [
            Answered(self._output(asked, row, judgement), record if row else None)
            for asked, row, record, judgement in zip(inputs, rows, records, judged, strict=True)
        ]

    def immediate(self, inputs: Sequence[CreditRiskInput], *, explain: bool) -> bool:
        """Where no features have to be fetched: trees take microseconds a row."""
        return cached(self.features, self._users(inputs))

    def probe(self) -> object:
        """Read features and score a row, as a request would."""
        defined = not isinstance(self.features, ServedFeatures) or self.features.defined
        return self.predict([PROBE if defined else PROBE.model_copy(update={"features": {}})])

    def _output(
        self, asked: CreditRiskInput, row: "FeatureRow | None", judgement: "Judgement"
    ) -> CreditRiskOutput:
        score, why = judgement.score, judgement.explanation
        answer: dict[str, Any] = {
            "user_id": asked.user_id,
            "probability": score.probability,
            "band": score.band,
            "flagged": score.flagged,
            "reasons": [_reason(reason) for reason in judgement.reasons],
            "model_version": self.spec,
            "feature_status": row.status if row else "provided",
            "feature_timestamps": row.timestamps if row else {},
            "missing_features": judgement.missing,
        }
        if why is None:
            return CreditRiskOutput(**answer)
        return CreditRiskExplanation(
            **answer, contributions=why.contributions, base=why.base, margin=why.margin
        )

    @staticmethod
    def _users(inputs: Sequence[CreditRiskInput]) -> list[str | None]:
        """Whose features are read: of nobody where the request gives them itself."""
        return [asked.user_id if asked.features is None else None for asked in inputs]


def _reason(reason: "Reason") -> CreditRiskReason:
    # written out: `asdict` would take longer than the model
    return CreditRiskReason(
        topic=reason.topic,
        text=reason.text,
        direction=reason.direction,
        contribution=reason.contribution,
        feature=reason.feature,
        value=reason.value,
    )


def load(model: ReleasedModel, settings: Settings) -> CreditRiskScorer:
    """A scorer of a released version."""
    from finml.models.credit_risk.runtime import CreditRiskPredictor

    features = served_features(model.feature_service, release.SERVING / FEATURES_FOLDER, settings)
    return CreditRiskScorer(CreditRiskPredictor.load(pinned_files(model)), features, model.spec)


class CreditRiskApi(ModelApi):
    """How likely is default on this loan, and why.

    A decision about a person must not silently lose what is known about that person: where the online store
    cannot be read, the answer is 503, not a score without features.
    """

    serving = Serving(
        model=NAME,
        input=CreditRiskInput,
        output=CreditRiskOutput,
        explanation=CreditRiskExplanation,
        load=load,
        value=lambda answer: answer.probability,
        decision=lambda answer: {
            "probability": answer.probability,
            "band": answer.band,
            "flagged": answer.flagged,
        },
    )

    @api("predict", NAME)
    async def predict_credit_risk(self, inputs: Inputs) -> Annotated[list[CreditRiskOutput], Json]:
        """Probability of default, risk band and the main reasons, one answer an input in the same order."""
        return await self.answer(NAME, "predict", inputs)

    @api("explain", NAME)
    async def explain_credit_risk(self, inputs: Inputs) -> Annotated[list[CreditRiskExplanation], Json]:
        """The same, with the share that each feature has in the answer."""
        return await self.answer(NAME, "explain", inputs)


API = CreditRiskApi
