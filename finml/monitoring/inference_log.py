"""The inference log: every prediction, off the request's path.

`record` only puts references in a bounded queue. One thread a process encodes and writes them. The thread
shares the interpreter's lock with the event loop, so it lets go of it after every row.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from finml.monitoring.rows import Encoder, Mask, Prediction
from finml.monitoring.sinks import RowsRefusedError, Sink, SinkUnavailableError, sink_of
from finml.monitoring.telling import warn
from finml.pseudonyms import pseudonym_key
from finml.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from tenacity import RetryCallState

MOST_QUEUED = 20_000
"""Predictions that wait to be encoded; what comes beyond is dropped."""
ROWS = 5_000
"""Rows that are written at the latest together."""
FLUSH_S = 5.0
"""Seconds after which rows are written at the latest; a process that is killed loses no more than these."""
POLL_S = 0.05
# Rows after which the event loop gets the interpreter's lock back, which it would otherwise only after 5 ms.
# Each change of hands costs as much as several rows: after every row, a busy service answered a third less.
ROWS_A_TURN = 24
LONGEST_PAUSE_S = 15.0
REPORT_S = 60.0


class InferenceLog:
    """The predictions of one process on their way to the sink.

    Attributes:
        written: rows that the sink has.
        waiting: whether the sink takes nothing at the moment.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sink: Sink | None = None,
        mask: Mask | None = None,
        most_queued: int = MOST_QUEUED,
        rows: int = ROWS,
        flush_s: float = FLUSH_S,
    ) -> None:
        """Prepare; nothing is opened before `start`.

        Args:
            settings: name the sink.
            sink: in place of the settings'.
            mask: what inputs and outputs become that are no JSON yet; by default `finml.privacy.masked_json`.
            most_queued: predictions that may wait.
            rows: rows that are written at the latest together.
            flush_s: seconds after which they are at the latest.

        Raises:
            SettingsError: `FINML_INFERENCE_LOG` names no sink.
            AuditError: the secret that stand-ins are made with can be neither read nor made.
        """
        self._sink = sink or sink_of(settings)
        self._encoder = Encoder(mask or _default_mask(), pseudonym_key(settings) if self._sink else b"")
        self._queue: deque[Prediction] = deque()
        self._most_queued, self._rows, self._flush_s = most_queued, rows, flush_s
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._pending = 0
        self._reported, self._report_at = 0, 0.0
        self.written, self.waiting = 0, False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Predictions that were lost: the queue was full, or they could not be encoded or written."""
        return self._dropped + self._encoder.refused

    @property
    def queued(self) -> int:
        """Predictions that are not written yet."""
        return len(self._queue) + len(self._encoder) + self._pending

    def record(self, predictions: Sequence[Prediction]) -> None:
        """Queue predictions. Never waits and never raises; a full queue drops them and counts."""
        if self._sink is None:
            return
        if self._closing.is_set() or len(self._queue) + len(predictions) > self._most_queued:
            self._drop(len(predictions))
        else:
            self._queue.extend(predictions)

    def start(self) -> None:
        """Begin to write. Call it in the process that records: threads do not survive a fork."""
        if self._sink is not None and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="inference-log", daemon=True)
            self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Write what is queued and end; what is left after `timeout_s` is dropped and counted."""
        self._deadline = time.monotonic() + timeout_s
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        left = self.queued
        self._queue.clear()
        if left:
            self._drop(left)
            warn("inference_log_cut", lost=left, within_s=timeout_s)

    def _run(self) -> None:
        assert self._sink is not None  # noqa: S101  # nosec B101  # `start` looked
        oldest = time.monotonic()
        while True:
            if len(self._encoder) == 0:
                oldest = time.monotonic()
            self._encode()
            full = len(self._encoder) >= self._rows
            old = time.monotonic() - oldest >= self._flush_s or self._closing.is_set()
            if full or (old and len(self._encoder)):
                self._write(self._sink)
            self._report()
            if self._closing.is_set():
                if not self._queue or time.monotonic() >= self._deadline:
                    break
            elif not full:
                self._closing.wait(POLL_S)
        self._sink.close()

    def _encode(self) -> None:
        """Encode what is queued, as far as it is written together."""
        for place in range(1, self._rows - len(self._encoder) + 1):
            try:
                prediction = self._queue.popleft()
            except IndexError:
                return
            self._encoder.append(prediction)
            if place % ROWS_A_TURN == 0:
                time.sleep(0)

    def _write(self, sink: Sink) -> None:
        """Write the encoded rows; while the sink is away, wait for it and let the queue fill."""
        from tenacity import RetryError, Retrying, retry_if_exception_type, wait_random_exponential

        rows: pa.Table = self._encoder.take()
        self._pending = rows.num_rows
        retrying = Retrying(
            retry=retry_if_exception_type(SinkUnavailableError),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_S),
            stop=lambda _: time.monotonic() >= self._deadline,
            sleep=self._pause,
            before_sleep=self._waiting,
        )
        try:
            retrying(sink.write, rows)
            self.written += rows.num_rows
        except RetryError:
            # out of time; `close` counts the rest
            return
        except RowsRefusedError as error:
            self._drop(rows.num_rows)
            warn("inference_log_rows_refused", message=str(error), rows=rows.num_rows)
        except Exception as error:
            self._drop(rows.num_rows)
            warn("inference_log_failed", kind=type(error).__name__, rows=rows.num_rows)
        self._pending, self.waiting = 0, False

    def _pause(self, seconds: float) -> None:
        """Wait, but wake for `close` and try on until its limit."""
        if self._closing.is_set():
            time.sleep(min(seconds, POLL_S))
        else:
            self._closing.wait(seconds)

    def _waiting(self, state: "RetryCallState") -> None:
        outcome, self.waiting = state.outcome, True
        if state.attempt_number == 1 and outcome is not None:
            error = outcome.exception()
            warn("inference_log_waits", message=str(error), hint=getattr(error, "hint", ""))
        self._report()

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count

    def _report(self) -> None:
        """Log what was dropped, once a minute at most."""
        now, dropped = time.monotonic(), self.dropped
        if dropped > self._reported and now >= self._report_at:
            since, self._reported, self._report_at = dropped - self._reported, dropped, now + REPORT_S
            warn("predictions_dropped", since=since, total=dropped)


def _default_mask() -> Mask:
    from finml.privacy import masked_json

    return masked_json


__all__ = ["InferenceLog", "Prediction"]
