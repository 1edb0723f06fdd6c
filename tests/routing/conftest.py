"""A routing file, and a router whose clock the test turns."""

from datetime import UTC, datetime, timedelta

import pytest

from finml.routing.router import Router

ALL = ("champion", "challenger", "previous")
HELD = {"credit_risk": ALL, "intent": ALL, "spending": ("champion",)}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def forward(self, **by):
        self.now += timedelta(**by)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "routing.yaml"


@pytest.fixture
def say(path):
    """Replace the routing file as `finml route` does: beside, then renamed."""

    def write(text):
        beside = path.with_name("beside")
        beside.write_text(text)
        beside.replace(path)

    return write


@pytest.fixture
def router(path, clock):
    """A router that is refreshed by hand."""
    return Router(path, HELD, now=clock)


def canary(steps="5:10,50:30", model="credit_risk", **more):
    """The text of a file with one canary from `START` on."""
    written = ", ".join(
        f"{{percent: {step.split(':')[0]}, minutes: {step.split(':')[1]}}}" for step in steps.split(",")
    )
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return (
        f"models:\n  {model}: {{canary: {{steps: [{written}], started_at: 2026-03-01T12:00:00Z{extra}}}}}\n"
    )
