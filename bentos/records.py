"""What is kept of each answer: predictions in the inference log, decisions about people in the audit log."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from pydantic import BaseModel
from pydantic_core import to_json

from bentos.decisions import Decisions
from bentos.ids import Ids
from bentos.problems import Refusal
from bentos.routes import Route
from bentos.served import Failed, Given
from finml.audit import AuditLog
from finml.errors import AuditError, MonitoringError
from finml.monitoring.inference_log import InferenceLog, Prediction
from finml.monitoring.rows import features_json
from finml.privacy import is_harmless

log = structlog.get_logger(__name__)

CLOSE_WITHIN_S = 5.0


class Origin(NamedTuple):
    """The request that predictions were made for."""

    route: Route
    caller: str
    ids: Ids


class Evidence(NamedTuple):
    """What was decided by, as JSON: the very texts that the inference log has, where nothing is masked.

    Attributes:
        inputs: what was asked.
        features: what was read for it; `None` where the input holds all.
    """

    inputs: bytes
    features: bytes | None

    @classmethod
    def of(cls, asked: BaseModel, features: Mapping[str, Any] | None) -> "Evidence":
        """The texts of an input and its features."""
        return cls(to_json(asked), None if features is None else features_json(features))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each, as in the audit log."""
        found = {"inputs_sha256": hashlib.sha256(self.inputs).hexdigest()}
        if self.features is not None:
            found["features_sha256"] = hashlib.sha256(self.features).hexdigest()
        return found


class Records:
    """The two logs of one process."""

    def __init__(self, inference: InferenceLog, audit: AuditLog | None) -> None:
        """Take the logs; without an audit log no model may decide about a person."""
        self._inference, self._audit = inference, audit
        self._decisions = Decisions(audit) if audit else None

    def start(self) -> None:
        """Begin to write."""
        self._inference.start()

    def close(self) -> None:
        """Write what is left, within a limit, and end."""
        self._inference.close(CLOSE_WITHIN_S)
        if self._audit:
            self._audit.close()

    def state(self) -> dict[str, float]:
        """Figures for the metrics."""
        return {
            "inference_log_written": self._inference.written,
            "inference_log_queued": self._inference.queued,
            "inference_log_dropped": self._inference.dropped,
        }

    def check(self) -> None:
        """For `/healthz`: raise `MonitoringError` while predictions cannot be written."""
        if self._inference.waiting:
            raise MonitoringError("the inference log cannot be written", hint="see the service's log")

    async def decide(
        self, origin: Origin, inputs: Sequence[Any], given: Sequence[Given]
    ) -> Sequence[Evidence | None]:
        """Enter decisions about people in the audit log, before anybody learns of them.

        Returns:
            What each was made by, `None` where nothing was decided about anybody.

        Raises:
            Refusal: 503, they cannot be entered; so they are not made.
        """
        serving = origin.route.model.serving
        decision = serving.decision
        if decision is None or not self._decisions:
            return [None] * len(given)
        evidence = [
            Evidence.of(asked, one.answered.features) for asked, one in zip(inputs, given, strict=True)
        ]
        entries = [
            {
                **origin.ids.fields,
                "position": place,
                "caller": origin.caller,
                "model_version": one.spec,
                "variant": one.variant,
                "action": origin.route.action,
                "subject": serving.subject(asked),
                **seen.hashes(),
                "decision": decision(one.answered.output),
            }
            for place, (asked, one, seen) in enumerate(zip(inputs, given, evidence, strict=True))
        ]
        try:
            await self._decisions.enter(entries)
        except AuditError as error:
            log.error("audit_log_unavailable", message=str(error), hint=error.hint, **origin.ids.fields)
            raise Refusal(503, detail="The decision cannot be recorded; try again.") from None
        return evidence

    def keep_answers(
        self,
        origin: Origin,
        inputs: Sequence[BaseModel],
        given: Sequence[Given],
        evidence: Sequence[Evidence | None],
        answers: Sequence[bytes],
    ) -> None:
        """Hand a request's answers to the inference log, which never waits.

        Args:
            origin: the request.
            inputs: what was asked.
            given: the answer to each.
            evidence: what `decide` returned.
            answers: the answers as JSON.
        """
        now = time.time()
        rows = [
            prediction(origin, now, place, put, one)
            for place, (put, one) in enumerate(zip(inputs, given, strict=True))
        ]
        # what is JSON already need not be made again by the log's thread, which takes turns with this one
        for row, put, seen, one, answer in zip(rows, inputs, evidence, given, answers, strict=True):
            if is_harmless(one.answered.output):
                row.output = answer
            if seen is not None:
                row.features = seen.features
                if is_harmless(put):
                    row.inputs = seen.inputs
        self._inference.record(rows)

    def keep_unseen(
        self, origin: Origin, place: int, put: BaseModel, one: Given | Failed, *, shadow: bool
    ) -> None:
        """Hand to the inference log what no caller was answered with: by a shadow, or a failure."""
        self._inference.record([prediction(origin, time.time(), place, put, one, shadow=shadow)])


def prediction(
    origin: Origin, at: float, place: int, put: BaseModel, one: Given | Failed, *, shadow: bool = False
) -> Prediction:
    """A row of the inference log, whose texts are not made yet."""
    answered = None if isinstance(one, Failed) else one.answered
    return Prediction(
        request_id=origin.ids.request,
        at=at,
        model=origin.route.model.name,
        version=one.spec,
        variant=one.variant,
        shadow=shadow,
        action=origin.route.action,
        caller=origin.caller,
        position=place,
        inputs=put,
        output=answered.output if answered else None,
        features=answered.features if answered else None,
        latency_ms=one.latency_s * 1000,
        # where chance dealt an input out, it is a subject of its own
        subject=origin.route.model.serving.sticky(put) or f"{origin.ids.request}/{place}",
        error=one.error if isinstance(one, Failed) else "",
    )
