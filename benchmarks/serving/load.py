"""The load: wrk, an event loop in C, in a process of its own, on connections that are kept."""

import json
import resource
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("wrk.lua")
TIMEOUT_S = 30


class LoadError(RuntimeError):
    """The load could not be made."""


@dataclass(frozen=True)
class Load:
    """What one run measured.

    Attributes:
        rate: good answers a second.
        p50_ms, p99_ms: time to an answer.
        errors: share of requests that were refused or broken off.
        generator: share of one core that wrk took.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    errors: float
    generator: float


def available() -> str:
    """Why no load can be made, or nothing."""
    return "" if shutil.which("wrk") else "wrk is not installed (apt-get install wrk)"


def send(url: str, bodies: Path, *, connections: int, seconds: int, api_key: str = "") -> Load:
    """Send the lines of a file in turn for some seconds.

    Raises:
        LoadError: wrk failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"),
            *("--timeout", f"{TIMEOUT_S}s", "-s", str(SCRIPT), url, "--", str(bodies), api_key),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise LoadError(f"wrk: {done.stderr or done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lasted = found["duration_us"] / 1e6
    asked = max(found["requests"] + found["broken"], 1)
    return Load(
        rate=(found["requests"] - found["refused"]) / lasted,
        p50_ms=found["p50_us"] / 1000,
        p99_ms=found["p99_us"] / 1000,
        errors=(found["refused"] + found["broken"]) / asked,
        generator=spent / lasted,
    )


def write_bodies(file: Path, bodies: Sequence[Any]) -> Path:
    """Bodies as lines of JSON."""
    file.write_text("".join(f"{json.dumps(body)}\n" for body in bodies), encoding="utf-8")
    return file
