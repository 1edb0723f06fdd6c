"""Finds settings of the service by trying them: `python -m loadtests.sweep`.

Each combination of settings is served and asked by one scenario several times, in another order each time, so
that what else the machine does favours none of them.
"""

import argparse
import itertools
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from finml.errors import FinmlError, UsageError
from finml.settings import Settings, get_settings
from loadtests.run import Options, Outcome, run
from loadtests.scenarios import BUDGETS

Combination = Mapping[str, float]
WORKERS = "workers"
# what is tried by default: settings by their names in `finml.settings`, and the number of workers
TRIED: Mapping[str, Sequence[float]] = {
    "batch_rows": (16, 32, 64),
    "queue_wait_s": (1, 5),
    WORKERS: (1, 2),
}
# a difference below this share of the best is what two equal services differ by
NOISE = 0.05


@dataclass
class Trial:
    """One combination and what each repetition found.

    Attributes:
        rates: answers a second; where the rate rises in steps, the highest rate within budget.
        p95s_ms: of the slowest route; where the rate rises in steps, at the highest rate within budget.
    """

    combination: Combination
    rates: list[float] = field(default_factory=list)
    p95s_ms: list[float] = field(default_factory=list)
    passed: int = 0

    @property
    def rate(self) -> float:
        """Median of the rates."""
        return median(self.rates)

    @property
    def p95_ms(self) -> float:
        """Median of the p95s."""
        return median(self.p95s_ms)

    def add(self, rate: float, p95_ms: float, passed: bool) -> None:
        """Take a repetition."""
        self.rates.append(rate)
        self.p95s_ms.append(p95_ms)
        self.passed += passed


def sweep(
    combinations: Sequence[Combination],
    repetitions: int,
    measure: Callable[[Combination], Outcome],
    rng: random.Random,
    say: Callable[[str], None],
) -> list[Trial]:
    """Measure each combination several times, in an order drawn anew for each repetition."""
    trials = [Trial(combination) for combination in combinations]
    for number in range(1, repetitions + 1):
        for trial in rng.sample(trials, len(trials)):
            outcome = measure(trial.combination)
            trial.add(*carried(outcome), outcome.verdict.passed)
            say(f"{number}/{repetitions} {in_words(trial.combination)}: {outcome.verdict.headline}")
    return trials


def carried(outcome: Outcome) -> tuple[float, float]:
    """The rate that a service carried, in requests a second, and p95 of its slowest route, in ms."""
    verdict = outcome.verdict
    if verdict.steps:
        within = list(itertools.takewhile(lambda step: not step.broken, verdict.steps))
        return (within[-1].rate_per_s, within[-1].p95_ms) if within else (0.0, verdict.steps[0].p95_ms)
    seconds = outcome.plan.scenario.seconds - outcome.plan.scenario.warmup_s
    return sum(each.answered for each in verdict.routes) / seconds, max(
        (each.p95_ms for each in verdict.routes), default=0.0
    )


def recommended(trials: Sequence[Trial]) -> Trial:
    """The combination to use: among those that carry as much as the best, the one with the lowest p95.

    Those within noise of that p95 are decided by what costs least: fewer workers, then smaller values.
    """
    kept = max(trial.passed for trial in trials)
    within = [trial for trial in trials if trial.passed == kept]
    most = max(trial.rate for trial in within)
    strong = [trial for trial in within if trial.rate >= most * (1 - NOISE)]
    fastest = min(trial.p95_ms for trial in strong)
    alike = [trial for trial in strong if trial.p95_ms <= fastest * (1 + NOISE)]
    return min(alike, key=lambda trial: (trial.combination.get(WORKERS, 1), *trial.combination.values()))


def combinations_of(tried: Mapping[str, Sequence[float]]) -> list[Combination]:
    """All combinations of values."""
    return [dict(zip(tried, values, strict=True)) for values in itertools.product(*tried.values())]


def table(trials: Sequence[Trial], chosen: Trial) -> str:
    """The trials, the strongest first."""
    names = list(chosen.combination)
    lines = ["".join(f"{name:>14}" for name in names) + f"{'requests/s':>12}{'range':>14}{'p95 ms':>9}"]
    for trial in sorted(trials, key=lambda each: (-each.rate, each.p95_ms)):
        spread = f"{min(trial.rates):.0f} to {max(trial.rates):.0f}"
        lines.append(
            "".join(f"{trial.combination[name]:>14g}" for name in names)
            + f"{trial.rate:>12.0f}{spread:>14}{trial.p95_ms:>9.0f}"
            + ("  recommended" if trial is chosen else "")
        )
    return "\n".join(lines)


def fragment(chosen: Trial) -> str:
    """The recommended settings as lines for `.env`; workers, which are an option, in a comment."""
    lines = [
        f"FINML_{name.upper()}={value:g}" for name, value in chosen.combination.items() if name != WORKERS
    ]
    workers = chosen.combination.get(WORKERS)
    return "\n".join([*([f"# finml serve --workers {workers:g}"] if workers else []), *lines, ""])


def in_words(combination: Combination) -> str:
    """As in `batch_rows 32, workers 2`."""
    return ", ".join(f"{name} {value:g}" for name, value in combination.items())


def measurer(settings: Settings, options: Options) -> Callable[[Combination], Outcome]:
    """A function that serves a combination and runs the scenario against it."""

    def measure(combination: Combination) -> Outcome:
        told = {name: value for name, value in combination.items() if name != WORKERS}
        # validated as variables are: a batch has no half rows
        changed = Settings.model_validate(settings.model_dump() | told)
        workers = int(combination.get(WORKERS, 1))
        return run(changed, Options(options.scenario, budgets=options.budgets, workers=workers))

    return measure


def tried_of(texts: Sequence[str]) -> Mapping[str, Sequence[float]]:
    """What to try, from texts such as `batch_rows=16,32`.

    Raises:
        UsageError: one is not of that form, or names no setting that is known here.
    """
    found: dict[str, Sequence[float]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        try:
            found[name] = tuple(float(value) for value in values.split(","))
        except ValueError:
            raise UsageError(f"{text!r} says not what to try", hint="write --try batch_rows=16,32") from None
        if name not in TRIED:
            raise UsageError(f"{name} is not swept", hint=f"these are: {', '.join(TRIED)}")
    return found or TRIED


def say(words: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"{words}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep, print the table and write the recommended settings."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.sweep", description="Find settings by trying them."
    )
    parser.add_argument("--scenario", default="breakpoint", help="what is asked; default: breakpoint")
    parser.add_argument("--budgets", type=Path, default=BUDGETS, help="file of scenarios and budgets")
    parser.add_argument("--repetitions", type=int, default=3, help="how often each combination is measured")
    parser.add_argument("--try", dest="tried", action="append", default=[], metavar="NAME=VALUE,…")
    parser.add_argument("--output", type=Path, default=Path("recommended.env"), help="file for the settings")
    options = parser.parse_args(arguments)
    try:
        settings = get_settings()
        combinations = combinations_of(tried_of(options.tried))
        measure = measurer(settings, Options(options.scenario, budgets=options.budgets))
        rng = random.Random(settings.seed)  # noqa: S311  # nosec B311  # no secret
        trials = sweep(combinations, max(1, options.repetitions), measure, rng, say)
    except FinmlError as error:
        say(f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    chosen = recommended(trials)
    sys.stdout.write(f"{table(trials, chosen)}\n\n{fragment(chosen)}")
    beside = options.output.with_name(f"{options.output.name}.part")
    beside.write_text(fragment(chosen), encoding="utf-8")
    beside.replace(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
