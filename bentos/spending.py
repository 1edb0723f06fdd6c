"""`spending` over HTTP: reads a user's history, forecasts, explains."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Len
from pydantic import model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from bentos import release
from bentos.base import MOST_INPUTS, Json, ModelApi, api, pinned_files
from bentos.features import ServedFeatures, served_features
from bentos.release import FEATURES_FOLDER, ReleasedModel
from bentos.serving import Answered, Serving
from bentos.stored_rows import FeatureReader, stored_rows
from finml.models.spending.contract import (
    FEATURE,
    NAME,
    Changepoint,
    Pooling,
    SeriesExplanation,
    SpendingExplanation,
    SpendingForecast,
    SpendingInput,
    SpendingOutput,
    SpendingPoint,
)
from finml.settings import Settings

if TYPE_CHECKING:
    from finml.features.online import FeatureRow
    from finml.models.spending.personal import Answer, History
    from finml.models.spending.runtime import SpendingPredictor

PROBE = SpendingInput(user_id="probe", horizon=1)


class ServedInput(SpendingInput):
    """A question that the model in this process can answer.

    What the model knows is checked with the rest of the request: requests are answered in batches, and one
    that cannot be answered must not fail the others.
    """

    served: ClassVar["SpendingPredictor | None"] = None

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        start = None if self.start is None else np.datetime64(self.start, "D")
        history = _history(self, None)
        refused = self.served.refusal(self.category, self.horizon, start, history) if self.served else None
        if refused:
            place, why = refused
            field, *_ = loc = tuple(place.split("."))
            error = PydanticCustomError("cannot_be_answered", "{why}", {"why": why})
            details = InitErrorDetails(type=error, loc=loc, input=getattr(self, field))
            raise ValidationError.from_exception_data("SpendingInput", [details])
        return self


Inputs = Annotated[list[ServedInput], Len(1, MOST_INPUTS)]


class SpendingScorer:
    """A loaded model with the histories it reads.

    Attributes:
        spec: the model's version, as in `spending@7`.
    """

    def __init__(self, predictor: "SpendingPredictor", features: FeatureReader, spec: str) -> None:
        self.predictor = predictor
        self.features = features
        self.spec = spec

    def predict(self, inputs: Sequence[SpendingInput]) -> list[SpendingOutput]:
        """Answers to a batch, one an input in the same order.

        Raises:
            FeatureError: a history has to be read and cannot be.
            DataError: the model does not know a category.
        """
        return [SpendingOutput(**answer) for answer, _ in self._answers(inputs)]

    def explain(self, inputs: Sequence[SpendingInput]) -> list[SpendingExplanation]:
        """The same in words. Errors as for `predict`."""
        return [
            SpendingExplanation(**answer, explanations=[_explained(one) for one in found])
            for answer, found in self._answers(inputs)
        ]

    def answers(self, inputs: Sequence[SpendingInput], *, explain: bool) -> list[Answered]:
        """Answers for the service, see `bentos.serving.Scorer`."""
        found: Sequence[SpendingOutput] = self.explain(inputs) if explain else self.predict(inputs)
        return [Answered(output) for output in found]

    def immediate(self, inputs: Sequence[SpendingInput], *, explain: bool) -> bool:
        """Never: a forecast of all categories takes milliseconds."""
        return False

    def probe(self) -> object:
        """Read a history and forecast, as a request would."""
        defined = not isinstance(self.features, ServedFeatures) or self.features.defined
        return self.predict([PROBE if defined else PROBE.model_copy(update={"user_id": None})])

    def _answers(self, inputs: Sequence[SpendingInput]) -> list[tuple[dict[str, Any], list["Answer"]]]:
        # of nobody where the request gives the history
        users = [asked.user_id if asked.history is None else None for asked in inputs]
        rows = stored_rows(self.features, users)
        return [self._answer(asked, row) for asked, row in zip(inputs, rows, strict=True)]

    def _answer(
        self, asked: SpendingInput, row: "FeatureRow | None"
    ) -> tuple[dict[str, Any], list["Answer"]]:
        found = self.predictor.forecast(
            asked.category,
            asked.horizon,
            start=None if asked.start is None else np.datetime64(asked.start, "D"),
            history=_history(asked, row),
        )
        answer = {
            "user_id": asked.user_id,
            "forecasts": [_forecast(one) for one in found],
            "model_version": self.spec,
            "feature_status": row.status if row else "provided" if asked.history else "not_needed",
            "feature_timestamps": row.timestamps if row else {},
            "degraded": bool(row and row.degraded),
        }
        return answer, found


def _history(asked: SpendingInput, row: "FeatureRow | None") -> "History | None":
    """The history that an answer starts from; `None` asks for the total of all users."""
    from finml.models.spending.personal import History

    if asked.history is not None:
        return History.of(asked.history.months, asked.history.spent)
    return History.stored(row.values.get(FEATURE)) if row else None


def _forecast(answer: "Answer") -> SpendingForecast:
    columns = {name: values.tolist() for name, values in answer.parts.items()}
    return SpendingForecast(
        category=answer.series.name,
        frequency=answer.series.frequency.name,
        subject=answer.subject,
        forecast=[
            SpendingPoint(
                ds=ds,
                yhat=yhat,
                low=low,
                high=high,
                decomposition={name: values[place] for name, values in columns.items()},
            )
            for place, (ds, yhat, low, high) in enumerate(
                zip(
                    answer.dates.tolist(),
                    answer.yhat.tolist(),
                    answer.low.tolist(),
                    answer.high.tolist(),
                    strict=True,
                )
            )
        ],
        method=answer.series.method,
        pooling=Pooling(**asdict(answer.pooling)) if answer.pooling else None,
        trained_until=answer.series.last,
        notes=list(answer.notes),
    )


def _explained(answer: "Answer") -> SeriesExplanation:
    from finml.models.spending.explain import sentences, turns

    return SeriesExplanation(
        category=answer.series.name,
        text=sentences(answer),
        changepoints=[
            Changepoint(ds=turn.ds.item(), before=turn.before, after=turn.after, text=turn.text)
            for turn in turns(answer.series)
        ],
        how=answer.series.how,
    )


def load(model: ReleasedModel, settings: Settings) -> SpendingScorer:
    """A scorer of a released version."""
    from finml.models.spending.runtime import SpendingPredictor

    features = served_features(
        model.feature_service, release.SERVING / FEATURES_FOLDER, settings, may_degrade=True
    )
    predictor = SpendingPredictor.load(pinned_files(model))
    if model.alias == "champion":
        ServedInput.served = predictor
    return SpendingScorer(predictor, features, model.spec)


class SpendingApi(ModelApi):
    """What will be spent on each category.

    A user's forecast must not silently lose the user's own history: where the online store cannot be read,
    the answer is 503, unless the history was given or no user was asked about; where the settings allow it,
    it is one by a history that was read before, and says so.
    """

    serving = Serving(
        model=NAME,
        input=ServedInput,
        output=SpendingOutput,
        explanation=SpendingExplanation,
        load=load,
        value=lambda answer: sum(point.yhat for one in answer.forecasts for point in one.forecast),
    )

    @api("predict", NAME)
    async def predict_spending(self, inputs: Inputs) -> Annotated[list[SpendingOutput], Json]:
        """Forecasts with 80 % intervals and their decomposition, one answer an input in the same order."""
        return await self.answer(NAME, "predict", inputs)

    @api("explain", NAME)
    async def explain_spending(self, inputs: Inputs) -> Annotated[list[SpendingExplanation], Json]:
        """The same, with decomposition and changepoints in words."""
        return await self.answer(NAME, "explain", inputs)


API = SpendingApi
