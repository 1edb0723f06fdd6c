"""Locust's users: each asks the served models about users of the ledger. Run by `loadtests.run`."""

import os
import random
from http import HTTPStatus
from itertools import count
from pathlib import Path

from locust import FastHttpUser, between, task

from loadtests.plan import PLAN_VARIABLE, Plan

PLAN = Plan.read(Path(os.environ[PLAN_VARIABLE]))
NUMBERS = count()


class Caller(FastHttpUser):
    """A caller that waits for each answer and checks it."""

    wait_time = between(*PLAN.scenario.think_s)
    network_timeout = 30.0
    connection_timeout = 5.0

    def on_start(self) -> None:
        """Give each caller a sequence of its own, the same in every run."""
        self.rng = random.Random(f"{PLAN.seed}/{next(NUMBERS)}")  # noqa: S311  # no secret

    @task
    def ask(self) -> None:
        """Send one request; an answer that is not one row an input is a failure."""
        path, body = PLAN.request(self.rng)
        with self.client.post(path, json=body, catch_response=True) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.failure(f"status {answer.status_code}")
            elif len(answer.json()) != len(body["inputs"]):
                answer.failure("another number of answers than of inputs")
