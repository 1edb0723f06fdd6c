"""What Locust runs: the callers, when they call and when it is over. Started by `loadtests.run`.

One process alone, or a master with workers. The master (or the lone process) has the plan and gathers what
was recorded; workers ask it for the plan, so one on another machine needs nothing but this code and a key.
"""

import os
import random
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Group
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtests.arrivals import Profile, arrivals, profile
from loadtests.ending import is_over
from loadtests.plan import KEY_VARIABLE, PLAN_VARIABLE, RECORDING_VARIABLE, Plan
from loadtests.recording import Recording

START_S = 3.0
"""From the order to start until second 0, so that all callers of all processes are there."""
NETWORK_TIMEOUT_S = 15.0
# a worker reports every 3 s, so the master knows of the last second only then
REPORT_S = 4.0
REFUSALS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
ASK_PLAN, GIVE_PLAN = "finml_ask_plan", "finml_give_plan"
FOREVER_S = 1e6


class Run:
    """The run as this process knows it: the plan once it is there, the clock, the recording."""

    plan: Plan
    rate: Profile

    def __init__(self) -> None:
        self.known = Event()
        self.recording = Recording()
        self.zero = float("inf")
        self.index = 0
        self.numbers = count()

    def take(self, plan: Plan) -> None:
        """Take the plan."""
        self.plan, self.rate = plan, profile(plan.scenario)
        self.known.set()

    def start(self) -> None:
        """Second 0 comes soon."""
        self.zero = time.monotonic() + START_S
        self.recording.started_at = time.time() + START_S

    def now(self) -> float:
        """Seconds into the run; negative before it."""
        return time.monotonic() - self.zero


RUN = Run()


class Caller(FastHttpUser):
    """One caller: sends when a request is due, and checks each answer."""

    network_timeout = NETWORK_TIMEOUT_S
    connection_timeout = 5.0
    # of open arrivals several may be on their way at once
    concurrency = 32
    insecure = False
    default_headers = {"X-API-Key": os.environ[KEY_VARIABLE]} if os.environ.get(KEY_VARIABLE) else None

    def on_start(self) -> None:
        """Wait for the plan and for second 0; each caller has a sequence of its own, alike in every run."""
        RUN.known.wait()
        self.plan = RUN.plan
        self.rng = random.Random(f"{self.plan.seed}/{RUN.index}/{next(RUN.numbers)}")  # noqa: S311  # nosec B311  # no secret
        self.pending = Group()
        self.moments = self._moments()
        self.due_s = 0.0
        gevent.sleep(self.wait_time())

    def on_stop(self) -> None:
        """Nobody waits for what was not answered by now."""
        self.pending.kill()

    def wait_time(self) -> float:
        """Seconds until the next request is due: not at all for one that is late, for ever after the last."""
        self.due_s = next(self.moments, FOREVER_S)
        return max(0.0, self.due_s - RUN.now())

    def _moments(self) -> Iterator[float]:
        scenario = self.plan.scenario
        if scenario.is_open:
            yield from arrivals(RUN.rate, scenario.users, self.rng)
            return
        while True:
            # taken when the answer has come; the faster the phase, the shorter the pause
            now = max(0.0, RUN.now())
            due_s = now + self.rng.uniform(*(scenario.think_s or (0.0, 0.0))) / (RUN.rate.rate_at(now) or 1.0)
            if due_s >= scenario.seconds:
                return
            yield due_s

    @task
    def call(self) -> None:
        """Send the request that is due; of open arrivals nobody waits for the answer."""
        if self.plan.scenario.is_open:
            self.pending.spawn(self.ask, self.due_s)
        else:
            self.ask(self.due_s)

    def ask(self, due_s: float) -> None:
        """Send one request, check its answer and record it, timed from the moment at which it was due."""
        path, body = self.plan.request(self.rng)
        RUN.recording.send(path, due_s, 1000 * (RUN.now() - due_s))
        with self.client.post(path, json=body, catch_response=True) as answer:
            ms = 1000 * (RUN.now() - due_s)
            # Locust's own pages shall say the same
            answer.request_meta["response_time"] = ms
            if answer.status_code in REFUSALS and answer.headers.get("Retry-After"):
                RUN.recording.shed(path, due_s)
                answer.failure(f"refused, status {answer.status_code}")
            elif wrong := fault(answer, len(body["inputs"])):
                RUN.recording.fail(path, due_s, wrong)
                answer.failure(wrong)
            else:
                RUN.recording.answer(path, due_s, ms)


def fault(answer: Any, inputs: int) -> str:  # noqa: ANN401  # Locust's response, which has no public type
    """What is wrong with an answer; nothing where it has one item an input, each with its model's version."""
    if answer.status_code != HTTPStatus.OK:
        return f"status {answer.status_code}" if answer.status_code else f"no answer: {answer.error!r}"
    try:
        items = answer.json()
    except ValueError:
        return "an answer that is no JSON"
    if not isinstance(items, list) or len(items) != inputs:
        return "another number of answers than of inputs"
    if not all(isinstance(item, Mapping) and item.get("model_version") for item in items):
        return "an answer without model_version"
    return ""


class Schedule(LoadTestShape):
    """Keeps the callers until the run is over: at its end, or where a step breaks the budget."""

    def tick(self) -> tuple[int, float] | None:
        """All callers at once, or the end."""
        report_s = REPORT_S if isinstance(self.runner, MasterRunner) else 0.0
        if RUN.zero < float("inf") and is_over(RUN.plan, RUN.rate, RUN.recording, RUN.now(), report_s):
            RUN.recording.stopped_s = min(RUN.now(), RUN.rate.seconds)
            return None
        return RUN.plan.scenario.users, float(RUN.plan.scenario.users)


@events.init.add_listener  # type: ignore[untyped-decorator]
def prepare(environment: Environment, **_: object) -> None:
    """Take the plan from its file, or from the master."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        runner.register_message(GIVE_PLAN, lambda msg, **_: RUN.take(Plan.model_validate_json(msg.data)))
        gevent.spawn(ask_for_plan, runner)
        return
    RUN.take(Plan.read(Path(os.environ[PLAN_VARIABLE])))
    if isinstance(runner, MasterRunner):
        said = RUN.plan.model_dump_json()
        # Locust sends anything, though its hint says less
        runner.register_message(
            ASK_PLAN,
            lambda msg, **_: runner.send_message(GIVE_PLAN, said, client_id=msg.node_id),  # type: ignore[arg-type]
        )


def ask_for_plan(runner: WorkerRunner) -> None:
    """Ask until the master answers: it may still be starting."""
    while not RUN.known.is_set():
        runner.send_message(ASK_PLAN)
        RUN.known.wait(1.0)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def start(environment: Environment, **_: object) -> None:
    """Set the clock."""
    RUN.index = max(0, getattr(environment.runner, "worker_index", 0))
    RUN.start()


@events.report_to_master.add_listener  # type: ignore[untyped-decorator]
def report(client_id: str, data: dict[str, Any]) -> None:
    """Send the master what was recorded since the last report."""
    data["finml"] = RUN.recording.model_dump_json()
    RUN.recording.cells, RUN.recording.errors = {}, {}


@events.worker_report.add_listener  # type: ignore[untyped-decorator]
def gather(client_id: str, data: dict[str, Any]) -> None:
    """Add what a worker recorded."""
    RUN.recording.merge(Recording.model_validate_json(data["finml"]))


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def leave(environment: Environment, **_: object) -> None:
    """Leave the whole recording for `loadtests.run`."""
    # one that never began, for want of workers, leaves nothing to judge
    if not isinstance(environment.runner, WorkerRunner) and RUN.zero < float("inf"):
        Path(os.environ[RECORDING_VARIABLE]).write_text(RUN.recording.model_dump_json(), encoding="utf-8")
