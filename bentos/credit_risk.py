"""`credit_risk` over HTTP: reads features, scores, gives reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from annotated_types import Len

from bentos import release
from bentos.base import MOST_INPUTS, Json, ModelApi, batched, pinned_files, unavailable
from bentos.features import ServedFeatures
from bentos.release import FEATURES_FOLDER
from finml.errors import FeatureError
from finml.models.credit_risk.contract import (
    NAME,
    CreditRiskExplanation,
    CreditRiskInput,
    CreditRiskOutput,
    CreditRiskReason,
)
from finml.settings import get_settings

if TYPE_CHECKING:
    from finml.features.online import FeatureRow
    from finml.models.credit_risk.explain import Explanation
    from finml.models.credit_risk.runtime import CreditRiskPredictor

PROBE = CreditRiskInput(user_id="probe", loan_amount=1000.0)

Inputs = Annotated[list[CreditRiskInput], Len(1, MOST_INPUTS)]


class FeatureReader(Protocol):
    """What reads the features of a batch of users."""

    def read(
        self, user_ids: Sequence[str], request_rows: Sequence[Mapping[str, float | None]]
    ) -> Sequence["FeatureRow"]:
        """One row a user, in the same order."""
        ...


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
        return [CreditRiskOutput(**answer) for answer, _ in self._answers(inputs)]

    def explain(self, inputs: Sequence[CreditRiskInput]) -> list[CreditRiskExplanation]:
        """The same with the share of each feature. Errors as for `predict`."""
        return [
            CreditRiskExplanation(**answer, contributions=why.contributions, base=why.base, margin=why.margin)
            for answer, why in self._answers(inputs)
        ]

    def _answers(self, inputs: Sequence[CreditRiskInput]) -> list[tuple[dict[str, Any], "Explanation"]]:
        rows = self._rows(inputs)
        records = [
            asked.record(row.numbers if row else asked.features or {})
            for asked, row in zip(inputs, rows, strict=True)
        ]
        scores = self.predictor.predict_records(records)
        explanations = self.predictor.explain_records(records)
        return [
            (
                asdict(score)
                | {
                    "user_id": asked.user_id,
                    "reasons": [CreditRiskReason(**asdict(reason)) for reason in why.reasons],
                    "model_version": self.spec,
                    "feature_status": row.status if row else "provided",
                    "feature_timestamps": row.timestamps if row else {},
                    "missing_features": self.predictor.missing(record),
                },
                why,
            )
            for asked, row, record, score, why in zip(
                inputs, rows, records, scores, explanations, strict=True
            )
        ]

    def _rows(self, inputs: Sequence[CreditRiskInput]) -> list["FeatureRow | None"]:
        """Stored features of each input by one call, `None` where the request gives them itself."""
        places = [place for place, asked in enumerate(inputs) if asked.features is None]
        found: list[FeatureRow | None] = [None] * len(inputs)
        if places:
            read = self.features.read(
                [inputs[place].user_id or "" for place in places],
                [inputs[place].request_row() for place in places],
            )
            for place, row in zip(places, read, strict=True):
                found[place] = row
        return found


class CreditRiskApi(ModelApi):
    """How likely is default on this loan, and why.

    A decision about a person must not silently lose what is known about that person: where the online store
    cannot be read, the answer is 503, not a score without features.
    """

    def __init__(self) -> None:
        super().__init__()
        from finml.models.credit_risk.runtime import CreditRiskPredictor

        model = self.release.model(NAME)
        features = ServedFeatures(model.feature_service, release.SERVING / FEATURES_FOLDER, get_settings())
        self.credit_risk = CreditRiskScorer(
            CreditRiskPredictor.load(pinned_files(model)), features, model.spec
        )
        probe = PROBE if features.defined else PROBE.model_copy(update={"features": {}})
        self.probes[NAME] = lambda: self.credit_risk.predict([probe])

    @batched("/predict/credit_risk")
    def predict_credit_risk(self, inputs: Inputs) -> Annotated[list[CreditRiskOutput], Json]:
        """Probability of default, risk band and the main reasons, one answer an input in the same order."""
        try:
            return self.credit_risk.predict(inputs)
        except FeatureError as error:
            raise unavailable(NAME, error) from error

    @batched("/explain/credit_risk")
    def explain_credit_risk(self, inputs: Inputs) -> Annotated[list[CreditRiskExplanation], Json]:
        """The same, with the share that each feature has in the answer."""
        try:
            return self.credit_risk.explain(inputs)
        except FeatureError as error:
            raise unavailable(NAME, error) from error


API = CreditRiskApi
