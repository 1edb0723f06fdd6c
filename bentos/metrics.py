"""What the service counts, for Prometheus. Each series is resolved once: counting costs microseconds."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The service's counters and histograms.

    Made after the server has chosen the folder in which processes share their figures
    (`PROMETHEUS_MULTIPROC_DIR`), which the library reads as it is imported.
    """

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Create the series.

        Args:
            registry: where they are registered; `None` for the process's own.
        """
        from prometheus_client import REGISTRY, Counter, Gauge, Histogram

        place = registry or REGISTRY
        self.registry, self._own = place, registry is not None
        self._requests = Counter("finml_requests", "Requests answered", ["route", "status"], registry=place)
        self._seconds = Histogram(
            "finml_request_seconds",
            "Seconds from a request's first byte to its answer's last",
            ["route"],
            buckets=LATENCY_BUCKETS_S,
            registry=place,
        )
        self._predictions = Counter(
            "finml_predictions", "Inputs answered", ["model", "variant", "version"], registry=place
        )
        self._batches = Histogram(
            "finml_batch_rows",
            "Rows scored together",
            ["model", "variant", "action"],
            buckets=ROW_BUCKETS,
            registry=place,
        )
        self._gauges = Gauge(
            "finml_state", "Queues and logs", ["what"], registry=place, multiprocess_mode="livesum"
        )
        self._children: dict[tuple[Any, ...], Callable[[float], None]] = {}
        # what was counted since `flush`: a counter that processes share takes a system call each time
        self._counted: dict[tuple[Any, ...], int] = {}

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._count(self._requests, route, str(status))
        self._child(self._seconds, route)(seconds)

    def prediction(self, model: str, variant: str, version: str) -> None:
        """Count one input answered by a version."""
        self._count(self._predictions, model, variant, version)

    def flush(self) -> None:
        """Bring the counters up to date. Called from the event loop, as what counts."""
        counted, self._counted = self._counted, {}
        for key, times in counted.items():
            self._child(*key)(times)

    def batch(self, model: str, variant: str, action: str, rows: int) -> None:
        """Count one batch."""
        self._child(self._batches, model, variant, action)(rows)

    def state(self, figures: Mapping[str, float]) -> None:
        """Set what can only be read off: rows that wait, predictions that were dropped."""
        for name, value in figures.items():
            self._gauges.labels(name).set(value)

    def page(self) -> tuple[bytes, str]:
        """The figures, of all processes or of its own registry, in Prometheus's text form; its media type.

        Counters are as of each process's last `flush`.
        """
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self.registry
        if not self._own and os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            forget_dead(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def _count(self, counter: "Counter", *labels: str) -> None:
        key = (counter, *labels)
        self._counted[key] = self._counted.get(key, 0) + 1

    def _child(self, series: "Counter | Histogram", *labels: str) -> Callable[[float], None]:
        """What adds to a series of these labels."""
        found = self._children.get((series, *labels))
        if found is None:
            child = series.labels(*labels)
            found = child.observe if hasattr(child, "observe") else child.inc
            self._children[series, *labels] = found
        return found


def forget_dead(folder: Path) -> None:
    """Take the gauges of workers that died out of the sums: they would say for ever what waited at last."""
    for file in folder.glob("gauge_live*_*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)


@cache
def process_metrics() -> Metrics:
    """The metrics of this process: a series can be registered once only."""
    return Metrics()
