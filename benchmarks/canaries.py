"""How often a canary's rollback is a false alarm, and after how many answers a broken challenger is caught.

python -m benchmarks.canaries        # prints the table of docs/routing.md; two minutes

Simulated traffic: a tenth of it goes to the challenger, latencies are log-normal (sigma 0.5), scores follow a
beta distribution (2, 8), and the limits are the defaults. Judged is after every 50 requests, as
it would be once a second at 50 requests a second.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from finml.routing.judgement import judge
from finml.routing.rules import Canary, Step
from finml.routing.windows import Watch

REQUESTS, EVERY, SHARE, RUNS = 20_000, 50, 0.1, 200
CANARY = Canary(steps=(Step(percent=10, minutes=60),), started_at=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Case:
    """What the two versions do.

    Attributes:
        common: share of answers that fail whoever gives them.
        errors: share of the challenger's answers that fail beyond these.
        slower: how many times the champion's latency the challenger's is.
        shifted: what is added to the challenger's scores.
    """

    name: str
    common: float = 0.0
    errors: float = 0.0
    slower: float = 1.0
    shifted: float = 0.0


CASES = (
    Case("the same as the champion"),
    Case("the same, 5 % of all answers fail", common=0.05),
    Case("1 % more errors, 1.3 times slower, scores 0.02 higher", errors=0.01, slower=1.3, shifted=0.02),
    Case("5 % of its answers fail", errors=0.05),
    Case("20 % of its answers fail", errors=0.2),
    Case("2 times slower", slower=2.0),
    Case("3 times slower", slower=3.0),
    Case("scores 0.1 higher", shifted=0.1),
    Case("scores 0.3 higher", shifted=0.3),
)


def answers_until_rolled_back(case: Case, seed: int) -> int | None:
    """The challenger's answers when it was rolled back; `None` where it never was."""
    generator = np.random.default_rng(seed)
    challenged = generator.random(REQUESTS) < SHARE
    ok = generator.random(REQUESTS) >= case.common + case.errors * challenged
    latencies = generator.lognormal(-6, 0.5, REQUESTS) * np.where(challenged, case.slower, 1.0)
    scores = generator.beta(2, 8, REQUESTS) + case.shifted * challenged
    watch = Watch(CANARY)
    rows = zip(challenged.tolist(), ok.tolist(), latencies.tolist(), scores.tolist(), strict=True)
    for number, (new, fine, latency, score) in enumerate(rows, 1):
        watch.observe("challenger" if new else "champion", fine, latency, score if fine else None)
        if number % EVERY == 0 and judge(CANARY, watch.sample("champion"), watch.sample("challenger")):
            return watch.seen["challenger"]
    return None


def main() -> None:
    """Print the table."""
    print("| challenger | rolled back | after so many of its answers, median | 95th percentile |")
    print("|---|---|---|---|")
    for case in CASES:
        caught = [answers_until_rolled_back(case, seed) for seed in range(RUNS)]
        after = [count for count in caught if count is not None]
        share = f"{len(after)} of {RUNS}"
        figures = [f"{np.quantile(after, q):.0f}" for q in (0.5, 0.95)] if after else ["", ""]
        print(f"| {case.name} | {share} | {figures[0]} | {figures[1]} |")


if __name__ == "__main__":
    main()
