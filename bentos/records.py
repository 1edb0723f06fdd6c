"""What is kept of each answer: predictions in the inference log, decisions about people in the audit log."""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
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

log = structlog.get_logger(__name__)

CLOSE_WITHIN_S = 5.0


class Origin(NamedTuple):
    """The request that predictions were made for."""

    route: Route
    caller: str
    ids: Ids


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

    async def decide(self, origin: Origin, inputs: Sequence[Any], given: Sequence[Given]) -> None:
        """Enter decisions about people in the audit log, before anybody learns of them.

        Raises:
            Refusal: 503, they cannot be entered; so they are not made.
        """
        serving = origin.route.model.serving
        decision = serving.decision
        if decision is None or not self._decisions:
            return
        entries = [
            {
                **origin.ids.fields,
                "position": place,
                "caller": origin.caller,
                "model_version": one.spec,
                "variant": one.variant,
                "action": origin.route.action,
                "subject": serving.subject(asked),
                **evidence(asked, one.answered.features),
                "decision": decision(one.answered.output),
            }
            for place, (asked, one) in enumerate(zip(inputs, given, strict=True))
        ]
        try:
            await self._decisions.enter(entries)
        except AuditError as error:
            log.error("audit_log_unavailable", message=str(error), hint=error.hint, **origin.ids.fields)
            raise Refusal(503, detail="The decision cannot be recorded; try again.") from None

    def keep(
        self, origin: Origin, asked: Iterable[tuple[int, BaseModel, Given | Failed]], *, shadow: bool = False
    ) -> None:
        """Hand predictions to the inference log, which never waits.

        Args:
            origin: the request.
            asked: place in the request, input and answer of each, or its failure.
            shadow: whether nobody was answered by them.
        """
        now, sticky = time.time(), origin.route.model.serving.sticky
        self._inference.record(
            [
                Prediction(
                    request_id=origin.ids.request,
                    at=now,
                    model=origin.route.model.name,
                    version=one.spec,
                    variant=one.variant,
                    shadow=shadow,
                    action=origin.route.action,
                    caller=origin.caller,
                    position=place,
                    inputs=put,
                    output=None if isinstance(one, Failed) else one.answered.output,
                    features=None if isinstance(one, Failed) else one.answered.features,
                    latency_ms=one.latency_s * 1000,
                    # where chance dealt an input out, it is a subject of its own
                    subject=sticky(put) or f"{origin.ids.request}/{place}",
                    error=one.error if isinstance(one, Failed) else "",
                )
                for place, put, one in asked
            ]
        )


def evidence(asked: BaseModel, features: Mapping[str, Any] | None) -> dict[str, str]:
    """SHA-256 of what was decided by, as JSON: of the very texts that the inference log has, where unmasked.

    Args:
        asked: the input.
        features: that were read for it; `None` where it holds all.
    """
    found = {"inputs_sha256": hashlib.sha256(to_json(asked)).hexdigest()}
    if features is not None:
        found["features_sha256"] = hashlib.sha256(features_json(features)).hexdigest()
    return found
