"""`anomaly` over HTTP: reads habits, computes behaviour, scores, gives reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Len

from bentos import release
from bentos.base import MOST_INPUTS, Json, ModelApi, api, pinned_files
from bentos.features import served_features
from bentos.release import FEATURES_FOLDER, ReleasedModel
from bentos.serving import Answered, Serving
from bentos.stored_rows import FeatureReader, cached, stored_rows
from finml.models.anomaly.behaviour import Behaviour, behaviour
from finml.models.anomaly.contract import (
    HABITS,
    NAME,
    AnomalyExplanation,
    AnomalyInput,
    AnomalyOutput,
    AnomalyReason,
    Served,
)
from finml.models.anomaly.habits import Habits
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.features.online import FeatureRow
    from finml.models.anomaly.runtime import AnomalyPredictor, Judgement

PROBE_USER, PROBE_TIME = "probe", "2025-01-01T12:00:00Z"


class ServedAnomalyInput(AnomalyInput):
    """A question that the model in this process can answer.

    What the model takes is checked with the rest of the request: requests are answered in batches, and one
    that cannot be answered must not fail the others.
    """

    served: ClassVar[Served] = Served()


Inputs = Annotated[list[ServedAnomalyInput], Len(1, MOST_INPUTS)]


class AnomalyScorer:
    """A loaded model with the habits it reads, if there are any.

    Attributes:
        spec: the model's version, as in `anomaly@7`.
    """

    def __init__(self, predictor: "AnomalyPredictor", features: FeatureReader | None, spec: str) -> None:
        self.predictor = predictor
        self.features = features
        self.spec = spec

    def predict(self, inputs: Sequence[AnomalyInput]) -> list[AnomalyOutput]:
        """Answers to a batch, one an input in the same order.

        Raises:
            FeatureError: habits have to be read and cannot be.
        """
        return [AnomalyOutput(**answer) for answer, _ in self._answers(inputs, explain=False)]

    def explain(self, inputs: Sequence[AnomalyInput]) -> list[AnomalyExplanation]:
        """The same with what each feature does. Errors as for `predict`."""
        return [_explained(answer, found) for answer, found in self._answers(inputs, explain=True)]

    def answers(self, inputs: Sequence[AnomalyInput], *, explain: bool) -> list[Answered]:
        """Answers for the service, with what the model looked at; see `bentos.serving.Scorer`."""
        return [
            Answered(_explained(answer, found) if explain else AnomalyOutput(**answer), found.values)
            for answer, found in self._answers(inputs, explain=explain)
        ]

    def immediate(self, inputs: Sequence[AnomalyInput], *, explain: bool) -> bool:
        """Where no habits have to be fetched: a row takes a tenth of a millisecond."""
        users = [asked.user_id for asked in inputs]
        return not explain and (self.features is None or cached(self.features, users))

    def probe(self) -> object:
        """Read habits and score a row, as a request would."""
        predictor = self.predictor
        if predictor.kind == "table":
            return predictor.judge_values([dict.fromkeys(predictor.columns, 0.0)])
        asked = {"user_id": PROBE_USER, "occurred_at": PROBE_TIME, "amount": 100.0}
        return self.predict(
            [ServedAnomalyInput.model_validate(asked | {"category": predictor.served.categories[0]})]
        )

    def _answers(
        self, inputs: Sequence[AnomalyInput], *, explain: bool
    ) -> list[tuple[dict[str, Any], "Judgement"]]:
        rows: list[FeatureRow | None] = [None] * len(inputs)
        if self.predictor.kind == "table":
            found = self.predictor.judge_values([asked.values or {} for asked in inputs], explain=explain)
        else:
            if self.features:
                rows = stored_rows(self.features, [asked.user_id for asked in inputs])
            found = self.predictor.judge(
                [
                    (asked.transaction(), _behaviour(asked, row))
                    for asked, row in zip(inputs, rows, strict=True)
                ],
                explain=explain,
            )
        return [
            (self._answer(asked, row, judgement), judgement)
            for asked, row, judgement in zip(inputs, rows, found, strict=True)
        ]

    def _answer(
        self, asked: AnomalyInput, row: "FeatureRow | None", judgement: "Judgement"
    ) -> dict[str, Any]:
        return {
            "user_id": asked.user_id,
            "score": judgement.score,
            "flagged": judgement.flagged,
            "threshold": self.predictor.threshold,
            "reasons": [AnomalyReason(**asdict(reason)) for reason in judgement.reasons],
            "history": judgement.history,
            "category_model": judgement.category_model,
            "model_version": self.spec,
            "feature_status": row.status if row else "not_used",
            "feature_timestamps": row.timestamps if row else {},
            "degraded": bool(row and row.degraded),
        }


def _explained(answer: Mapping[str, Any], found: "Judgement") -> AnomalyExplanation:
    return AnomalyExplanation(
        **answer, raw_score=found.raw, contributions=found.contributions, features=found.values
    )


def _behaviour(asked: AnomalyInput, row: "FeatureRow | None") -> Behaviour:
    stored = row.values.get(HABITS) if row else None
    habits = Habits.read(stored if isinstance(stored, str) else None)
    transaction = asked.transaction()
    if row and row.as_of:
        # a debit that was booked before it is asked about is among its own user's habits
        habits = habits.before(transaction, row.as_of.timestamp())
    return behaviour(transaction, habits, [recent.transaction() for recent in asked.recent])


def load(model: ReleasedModel, settings: Settings) -> AnomalyScorer:
    """A scorer of a released version."""
    from finml.models.anomaly.runtime import AnomalyPredictor

    definitions = release.SERVING / FEATURES_FOLDER
    # a Bento of models that were all trained on files holds no definitions of features
    features = (
        served_features(model.feature_service, definitions, settings, may_degrade=True)
        if definitions.is_dir()
        else None
    )
    predictor = AnomalyPredictor.load(pinned_files(model))
    if model.alias == "champion":
        ServedAnomalyInput.served = predictor.served
    return AnomalyScorer(predictor, features, model.spec)


class AnomalyApi(ModelApi):
    """Is this transaction unusual for this user, and why.

    Without habits every transaction of a user looks like those of nobody in particular, and anomalies pass.
    Where the online store cannot be read, the answer is 503, not a score without habits; where the settings
    allow it, it is one by habits that were read before, and says so.
    """

    serving = Serving(
        model=NAME,
        input=ServedAnomalyInput,
        output=AnomalyOutput,
        explanation=AnomalyExplanation,
        load=load,
        value=lambda answer: answer.score,
    )

    @api("predict", NAME)
    async def predict_anomaly(self, inputs: Inputs) -> Annotated[list[AnomalyOutput], Json]:
        """How unusual each transaction is, whether to look at it, and the main reasons, in the same order."""
        return await self.answer(NAME, "predict", inputs)

    @api("explain", NAME)
    async def explain_anomaly(self, inputs: Inputs) -> Annotated[list[AnomalyExplanation], Json]:
        """The same, with every feature and what the score would be without it."""
        return await self.answer(NAME, "explain", inputs)


API = AnomalyApi
