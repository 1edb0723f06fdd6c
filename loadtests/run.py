"""Runs a scenario against the service and says whether it kept its budget: `python -m loadtests.run`.

Locust replaces parts of the standard library as it is imported, so it always runs in a process of its own.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import httpx

from finml.errors import FinmlError, ServeError, UsageError
from finml.logs import configure_logging
from finml.settings import Settings, get_settings
from loadtests.plan import PLAN_VARIABLE, Plan, models_of, users_of_file, users_of_ledger
from loadtests.scenarios import BUDGETS, Scenario, load
from loadtests.verdict import Verdict, judge

LOCUSTFILE = Path(__file__).with_name("callers.py")
SPAWN_PER_S = 20
TIMEOUT_S = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a scenario and print its verdict: 0 within budget, 1 beyond it or not run, 2 wrong usage."""
    options = parser().parse_args(arguments)
    try:
        settings = get_settings()
        configure_logging(settings)
        verdict = run(settings, options)
    except FinmlError as error:
        sys.stderr.write(f"error: {error}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return error.exit_code
    sys.stdout.write(verdict.to_text() + "\n")
    return 0 if verdict.passed else 1


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(prog="python -m loadtests.run", description=__doc__.splitlines()[0])
    options.add_argument("--scenario", default="steady", help="one of those in the budget file")
    options.add_argument("--budgets", type=Path, default=BUDGETS, help="file of scenarios and budgets")
    options.add_argument("--host", help="URL of a running service; without it the newest Bento is served")
    options.add_argument("--user-ids", type=Path, help="file of user ids, one a line; default: the ledger's")
    options.add_argument("--workers", type=int, default=1, help="workers of the Bento that is served here")
    return options


def run(settings: Settings, options: argparse.Namespace) -> Verdict:
    """Run the chosen scenario, against a service that is started for it where no host is named."""
    scenarios = load(options.budgets)
    if options.scenario not in scenarios:
        raise UsageError(f"no scenario {options.scenario!r}", hint=f"scenarios: {', '.join(scenarios)}")
    users = users_of_file(options.user_ids) if options.user_ids else users_of_ledger(settings)
    scenario = scenarios[options.scenario]
    service: AbstractContextManager[str]
    if options.host:
        service = nullcontext(options.host.rstrip("/"))
    else:
        from bentos.server import running

        service = running(settings, workers=options.workers)
    with service as url:
        plan = Plan(
            name=options.scenario,
            scenario=scenario,
            models=models_of(scenario, served_models(url)),
            user_ids=users,
            seed=settings.seed,
        )
        return measure(plan, url)


def served_models(url: str) -> list[str]:
    """Names of the models that a service says it serves.

    Raises:
        ServeError: it does not answer.
    """
    try:
        answer = httpx.get(f"{url}/models", timeout=TIMEOUT_S).raise_for_status()
        return [model["name"] for model in answer.json()["models"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise ServeError(
            f"{url} does not say what it serves: {error}", hint="name a running service by --host"
        ) from None


def measure(plan: Plan, url: str) -> Verdict:
    """Send a plan's load to a service and judge what came back.

    Raises:
        ServeError: Locust could not run; the message ends with what it said.
    """
    scenario = plan.scenario
    with tempfile.TemporaryDirectory(prefix="finml-load-") as temporary:
        folder = Path(temporary)
        plan.write(folder / "plan.json")
        done = subprocess.run(  # noqa: S603  # a list of our own making, no shell
            [
                *locust_command(scenario, url),
                "--json-file",
                str(folder / "stats"),
                "--csv",
                str(folder / "run"),
            ],
            env=os.environ | {PLAN_VARIABLE: str(folder / "plan.json")},
            capture_output=True,
            text=True,
            check=False,
        )
        stats = folder / "stats.json"
        if not stats.exists():
            raise ServeError(f"the load test did not run: {done.stderr.strip()[-2000:]}")
        entries = json.loads(stats.read_text(encoding="utf-8"))
        errors = failures(folder / "run_failures.csv")
    return judge(plan.name, scenario.budget, entries, scenario.seconds, errors)


def locust_command(scenario: Scenario, url: str) -> list[str]:
    """Locust, headless; its figures start when all users have come, and failures do not change its status."""
    spawning = -(-scenario.users // SPAWN_PER_S)
    return [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--reset-stats"),
        *("--locustfile", str(LOCUSTFILE), "--host", url),
        *("--users", str(scenario.users), "--spawn-rate", str(SPAWN_PER_S)),
        *("--run-time", f"{scenario.seconds + spawning}s", "--exit-code-on-error", "0"),
    ]


def failures(path: Path) -> list[str]:
    """What failed, most frequent first, from Locust's table."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: -int(row["Occurrences"]))
    return [f"{row['Occurrences']} x {row['Name']}: {row['Error'][:200]}" for row in rows]


if __name__ == "__main__":
    sys.exit(main())
