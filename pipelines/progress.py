"""What happens inside a local run, read from what kfp writes: a line a step for people, all for the log.

kfp's local runner has no callbacks. It logs and prints to standard output, where this module listens in.
"""

import io
import re
import time
from collections.abc import Callable, Mapping
from typing import Literal, TextIO

from pydantic import BaseModel

ANSI = re.compile(r"\x1b\[[0-9;]*m")
STARTED = re.compile(r"- INFO - Executing task '([^']+)'$")
ENDED = re.compile(r"- (?:INFO|ERROR) - Task '([^']+)' finished with status (SUCCESS|FAILURE)$")
# The last line of a traceback.
RAISED = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception|Exit|Interrupt)): (.+)$")


class StepError(BaseModel):
    """Why a step failed, in its own words."""

    type: str
    message: str
    hint: str = ""


class Step(BaseModel):
    """One step of a run. `summary` says in some words what the step made."""

    name: str
    title: str
    state: Literal["succeeded", "failed", "skipped"] = "skipped"
    seconds: float = 0.0
    summary: str = ""
    error: StepError | None = None


class StepWatcher(io.TextIOBase):
    """A stream that stands in for standard output while kfp runs a pipeline.

    The error of a step is what the last traceback of its output says, whether or not the step survived it.

    Args:
        steps: the pipeline's steps by name. Their state, seconds and error are filled in.
        log: takes every line.
        on_start: called as a step starts.
        on_end: called as a step ends.
    """

    def __init__(
        self,
        steps: Mapping[str, Step],
        log: TextIO,
        on_start: Callable[[Step], None],
        on_end: Callable[[Step], None],
    ) -> None:
        self.steps = steps
        self.log = log
        self.on_start = on_start
        self.on_end = on_end
        self.rest = ""
        self.running: Step | None = None
        self.began = 0.0

    def writable(self) -> bool:
        """A stream to write to."""
        return True

    def write(self, text: str) -> int:
        """Take text; act on each line that it completes."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.see(ANSI.sub("", line))
        return len(text)

    def see(self, line: str) -> None:
        """Act on one line."""
        self.log.write(line + "\n")
        self.log.flush()
        if started := STARTED.search(line):
            self.running = self.steps[started[1]]
            self.began = time.monotonic()
            self.on_start(self.running)
        elif self.running and (ended := ENDED.search(line)):
            step, self.running = self.running, None
            step.seconds = round(time.monotonic() - self.began, 2)
            step.state = "succeeded" if ended[2] == "SUCCESS" else "failed"
            self.on_end(step)
        elif self.running:
            self.running.error = raised(line.strip()) or self.running.error


def raised(line: str) -> StepError | None:
    """The exception that the last line of a traceback names, or `None`."""
    found = RAISED.search(line)
    return StepError(type=found[1], message=found[2]) if found else None
