"""What happened in a load test: counts and times by route and second, small enough to send and to keep."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

# times are kept in buckets of 2 %, so that a percentile is right to 1 % and a second costs a few numbers
LOG_WIDTH = math.log(1.02)
LEAST_MS = 0.01
UNANSWERED_MS = 60_000.0
"""What a request that was never answered counts as in percentiles."""
MOST_ERRORS = 50
ERROR_CHARACTERS = 200

Times = dict[int, int]
"""Requests by bucket of their time."""


class Cell(BaseModel):
    """What became of the requests that were due on one route in one second.

    Attributes:
        times: those that were answered as they should be, by time from the moment that each was due.
        lags: all, by how late the load generator was to send them.
    """

    sent: int = 0
    shed: int = 0
    failed: int = 0
    times: Times = {}
    lags: Times = {}

    @property
    def answered(self) -> int:
        """Requests that were answered as they should be."""
        return sum(self.times.values())

    @property
    def pending(self) -> int:
        """Requests of which nothing is known yet."""
        return self.sent - self.shed - self.failed - self.answered


class Recording(BaseModel):
    """All cells of a run.

    Attributes:
        started_at: seconds since 1970 at which the run's second 0 began.
        cells: by route and second.
        errors: what failed, in words, with how often.
        stopped_s: the second at which sending ended, where that was before the end.
    """

    started_at: float = 0.0
    cells: dict[str, dict[int, Cell]] = {}
    errors: dict[str, int] = {}
    stopped_s: float | None = None

    def send(self, route: str, due_s: float, lag_ms: float) -> None:
        """A request goes out."""
        cell = self._cell(route, due_s)
        cell.sent += 1
        add(cell.lags, lag_ms)

    def answer(self, route: str, due_s: float, ms: float) -> None:
        """A right answer came."""
        add(self._cell(route, due_s).times, ms)

    def shed(self, route: str, due_s: float) -> None:
        """The service refused and said when to come again."""
        self._cell(route, due_s).shed += 1

    def fail(self, route: str, due_s: float, words: str) -> None:
        """Anything else came, or nothing."""
        self._cell(route, due_s).failed += 1
        self._count_error(f"{route}: {words[:ERROR_CHARACTERS]}", 1)

    def merge(self, other: "Recording") -> None:
        """Add what another process recorded."""
        for route, seconds in other.cells.items():
            for second, cell in seconds.items():
                into = self._cell(route, second)
                into.sent += cell.sent
                into.shed += cell.shed
                into.failed += cell.failed
                for mine, theirs in ((into.times, cell.times), (into.lags, cell.lags)):
                    for bucket, count in theirs.items():
                        mine[bucket] = mine.get(bucket, 0) + count
        for words, count in other.errors.items():
            self._count_error(words, count)

    def span(self, start_s: float, end_s: float) -> Mapping[str, Cell]:
        """Each route's requests that were due in a span, `end_s` excluded, added up."""
        return self.during(range(math.floor(start_s), math.ceil(end_s)))

    def during(self, seconds: Iterable[int]) -> Mapping[str, Cell]:
        """Each route's requests that were due in any of these seconds, added up."""
        wanted = set(seconds)
        found = {
            route: total(cell for second, cell in cells.items() if second in wanted)
            for route, cells in sorted(self.cells.items())
        }
        return {route: cell for route, cell in found.items() if cell.sent}

    @property
    def pending(self) -> int:
        """Requests of which nothing is known yet."""
        return sum(cell.pending for cells in self.cells.values() for cell in cells.values())

    def _cell(self, route: str, due_s: float) -> Cell:
        return self.cells.setdefault(route, {}).setdefault(int(due_s), Cell())

    def _count_error(self, words: str, count: int) -> None:
        if words in self.errors or len(self.errors) < MOST_ERRORS:
            self.errors[words] = self.errors.get(words, 0) + count


@dataclass(frozen=True)
class Figures:
    """What was measured on one route.

    Percentiles, in milliseconds, are of right answers and of what was never answered: refusals and failures,
    which are often fast, do not flatter them.
    """

    route: str
    sent: int
    answered: int
    shed: int
    failed: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def figures(route: str, cell: Cell) -> Figures:
    """The figures of a route; requests that were never answered have failed."""
    times = dict(cell.times)
    if cell.pending:
        add(times, UNANSWERED_MS, cell.pending)
    p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
    return Figures(route, cell.sent, cell.answered, cell.shed, cell.failed + cell.pending, p50, p95, p99)


def total(cells: Iterable[Cell]) -> Cell:
    """Several cells as one."""
    into = Recording()
    for cell in cells:
        into.merge(Recording(cells={"": {0: cell}}))
    return into._cell("", 0)


def add(times: Times, ms: float, count: int = 1) -> None:
    """Count a time."""
    bucket = round(math.log(max(ms, LEAST_MS)) / LOG_WIDTH)
    times[bucket] = times.get(bucket, 0) + count


def percentile(times: Mapping[int, int], share: float) -> float:
    """The milliseconds within which that share of the requests fell (nearest rank), to 1 %; 0 for none."""
    reached, wanted = 0, share * sum(times.values())
    for bucket, count in sorted(times.items()):
        reached += count
        if reached >= wanted:
            return math.exp(bucket * LOG_WIDTH)
    return 0.0
