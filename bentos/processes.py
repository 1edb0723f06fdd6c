"""BentoML's commands, run as processes: it keeps its home and what it imported as long as a process lives."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LAST_LINES = 15


def bentoml_environment(bento_home: Path) -> dict[str, str]:
    """This process's environment, for a BentoML process over the store in `bento_home`."""
    return os.environ | {"BENTOML_HOME": str(bento_home), "BENTOML_DO_NOT_TRACK": "True"}


def python(*arguments: str) -> list[str]:
    """A command for this Python, as in `python("-m", "bentoml", "list")`."""
    return [sys.executable, *arguments]


def run(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it said, whatever its status."""
    # a list, never a shell; every part is ours or was checked by the caller
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603  # a list, never a shell


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The end of what a failed command said."""
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return "\n".join(said[-LAST_LINES:]) or f"it ended with status {done.returncode} and said nothing"
