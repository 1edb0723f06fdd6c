"""Runs a scenario against the service and judges what came back.

Locust replaces parts of the standard library as it is imported, so it always runs in processes of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from finml.errors import ServeError, UsageError
from finml.settings import Settings
from loadtests.judging import judge
from loadtests.memory import MemoryWatch, Sample
from loadtests.plan import (
    KEY_VARIABLE,
    PLAN_VARIABLE,
    RECORDING_VARIABLE,
    Plan,
    models_of,
    users_of_file,
    users_of_ledger,
)
from loadtests.recording import Recording
from loadtests.scenarios import BUDGETS, load
from loadtests.service import Service, api_key, running, served_models, started
from loadtests.verdict import Verdict

LOCUSTFILE = Path(__file__).with_name("callers.py")
PORT = 5557
LAST_CHARACTERS = 2000
WORKERS_WITHIN_S = 120


@dataclass(frozen=True)
class Options:
    """How to run a scenario.

    Attributes:
        budgets: file of scenarios and budgets.
        host: URL of a running service; `None` serves the newest Bento.
        workers: workers of the Bento that is served here.
        user_ids: file of user ids, one a line; `None` for the ledger's.
        key_file: file with the API key of a service that runs elsewhere.
        processes: processes that send, on this machine.
        expect_workers: sending processes that come from elsewhere, by `finml loadtest-worker`; 0 for none.
        port: where those find this process.
    """

    scenario: str
    budgets: Path = BUDGETS
    host: str | None = None
    workers: int = 1
    user_ids: Path | None = None
    key_file: Path | None = None
    processes: int = 1
    expect_workers: int = 0
    port: int = PORT


@dataclass(frozen=True)
class Outcome:
    """What a run left: the plan, all that was recorded, and the verdict on it."""

    plan: Plan
    recording: Recording
    samples: list[Sample]
    verdict: Verdict


def run(settings: Settings, options: Options) -> Outcome:
    """Run the chosen scenario, against a service that is started for it where no host is named.

    Raises:
        UsageError: there is no such scenario, or no user to ask about.
        ServeError: the service or the load generator could not run.
    """
    scenarios = load(options.budgets)
    if options.scenario not in scenarios:
        raise UsageError(f"no scenario {options.scenario!r}", hint=f"scenarios: {', '.join(scenarios)}")
    if options.expect_workers and options.processes > 1:
        raise UsageError("processes here and workers elsewhere at once", hint="choose one of the two")
    users = users_of_file(options.user_ids) if options.user_ids else users_of_ledger(settings)
    scenario = scenarios[options.scenario]
    service: AbstractContextManager[Service] = (
        nullcontext(running(options.host, options.key_file))
        if options.host
        else started(settings, options.workers)
    )
    with service as asked:
        plan = Plan(
            name=options.scenario,
            scenario=scenario,
            models=models_of(scenario, served_models(asked)),
            user_ids=asked_about(users, scenario.subjects),
            seed=settings.seed,
        )
        with MemoryWatch(asked.processes, time.time) as watch:
            recording = send(plan, asked, options)
    return Outcome(plan, recording, watch.samples, judge(plan, recording, watch.samples))


def asked_about(users: Sequence[str], subjects: int | None) -> list[str]:
    """Those of the users that requests are about: so many, from all over the list."""
    if subjects is None or subjects >= len(users):
        return [*users]
    return [users[place * len(users) // subjects] for place in range(subjects)]


def send(plan: Plan, service: Service, options: Options) -> Recording:
    """Send a plan's load to a service.

    Raises:
        ServeError: Locust could not run; the message ends with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="finml-load-") as temporary:
        folder = Path(temporary)
        plan.write(folder / "plan.json")
        told = {
            PLAN_VARIABLE: str(folder / "plan.json"),
            RECORDING_VARIABLE: str(folder / "recording.json"),
            # in the environment, for a command line can be read by everybody
            KEY_VARIABLE: service.key,
        }
        done = subprocess.run(  # noqa: S603  # nosec B603  # a list of our own making, no shell
            [*locust("--headless", "--only-summary", "--host", service.url), *spread(options)],
            env=os.environ | told,
            capture_output=True,
            text=True,
            check=False,
        )
        recording = folder / "recording.json"
        if not recording.exists():
            raise ServeError(f"the load test did not run: {done.stderr.strip()[-LAST_CHARACTERS:]}")
        return Recording.model_validate_json(recording.read_bytes())


def work(master: str, port: int, key_file: Path | None, processes: int) -> None:
    """Send for a load test that runs on another machine, until it is over.

    Raises:
        ServeError: Locust could not run, or lost the other machine.
    """
    done = subprocess.run(  # noqa: S603  # nosec B603  # a list of our own making, no shell
        [
            *locust("--worker", "--master-host", master, "--master-port", str(port)),
            *(("--processes", str(processes)) if processes > 1 else ()),
        ],
        env=os.environ | {KEY_VARIABLE: api_key(key_file)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServeError(f"the worker ended: {done.stderr.strip()[-LAST_CHARACTERS:]}")


def locust(*options: str) -> list[str]:
    """Locust over finml's callers. Failed requests do not change its status: the verdict judges them."""
    return [
        *(sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE)),
        *("--exit-code-on-error", "0", "--skip-log-setup", *options),
    ]


def spread(options: Options) -> list[str]:
    """Locust's options for more than one sending process."""
    if options.expect_workers:
        return [
            *("--master", "--master-bind-port", str(options.port)),
            *("--expect-workers", str(options.expect_workers)),
            *("--expect-workers-max-wait", str(WORKERS_WITHIN_S)),
        ]
    if options.processes > 1:
        from bentos.server import free_port

        # a port of its own, so that two load tests can run beside each other
        port = str(free_port())
        return ["--processes", str(options.processes), "--master-bind-port", port, "--master-port", port]
    return []
