"""A version of a model raises, as the champion and under a canary."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.bento import DAMAGED, MODEL, damaged, packaged
from benchmarks.faults.service import Fault, Service, about_loans, observed, serving
from bentos.release import Variant
from finml.routing.changes import canary, roll_back, set_rule
from finml.routing.rules import Rule
from finml.settings import Settings

WHO = "faults"
FROM_THE_START = datetime(2020, 1, 1, tzinfo=UTC)
PERCENT, LEAST_REQUESTS = 20, 100


@contextmanager
def released(
    settings: Settings, users: Sequence[str], alias: Variant, others: Sequence[Variant], rule: Rule
) -> Iterator[tuple[Service, Path, dict[str, list[str]]]]:
    """A service whose Bento holds a damaged version, its routing file, and what the Bento holds."""
    held: dict[str, list[str]] = {MODEL: ["champion", *others]}
    with packaged(settings, others=others) as tag, tempfile.TemporaryDirectory() as folder:
        damaged(settings, tag, alias)
        file = Path(folder, "routing.yaml")
        set_rule(file, held, MODEL, rule, who=WHO)
        with serving(settings, about_loans(users), tag=tag, routing_file=str(file)) as service:
            yield service, file, held


def champion(settings: Settings, users: Sequence[str]) -> Fault:
    """A new champion raises, and is rolled back by hand."""
    with released(settings, users, "champion", ["previous"], Rule(to="previous")) as (service, file, held):
        fault = observed(
            "champion raises for every known user; `finml route rollback` after 4 s",
            service,
            lambda: set_rule(file, held, MODEL, Rule(to="champion"), who=WHO),
            lambda: roll_back(file, held, MODEL, who=WHO),
        )
    fault.lost.append(failures(service))
    return fault


def challenger(settings: Settings, users: Sequence[str]) -> Fault:
    """A challenger raises under a canary, which ends by itself."""
    with released(settings, users, "challenger", ["challenger"], Rule(to="champion")) as (
        service,
        file,
        held,
    ):
        begun = 0.0

        def begin() -> None:
            nonlocal begun
            begun = time.time()
            rule = canary([f"{PERCENT}:60"], {}, LEAST_REQUESTS, FROM_THE_START)
            set_rule(file, held, MODEL, rule, who=WHO)

        fault = observed(f"challenger raises, canary of {PERCENT} %", service, begin)
        note = routing(service)["rolled_back"]
        ended = datetime.fromisoformat(note["at"]).timestamp()
    fault.well = f"the canary ended itself after {ended - begun:.1f} s"
    fault.lost.append(failures(service))
    return fault


def routing(service: Service) -> dict[str, Any]:
    """How the service routes the model now."""
    answer = httpx.get(f"{service.url}/routing", headers={"X-API-Key": service.key})
    found: dict[str, Any] = answer.raise_for_status().json()["models"][MODEL]
    return found


def failures(service: Service) -> str:
    """How many failures of the damaged version the inference log tells of."""
    from finml.monitoring.reading import read

    found = read(service.settings, columns=["caller", "version", "error"])
    mine = found[(found["caller"] == service.caller) & (found["version"] == f"{MODEL}@{DAMAGED}")]
    kinds = mine.loc[mine["error"] != "", "error"].value_counts()
    return "the log tells of " + ", ".join(f"{count:,} x {kind}" for kind, count in kinds.items())
