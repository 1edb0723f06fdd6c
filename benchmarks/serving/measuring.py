"""The runs: every server in turn, again and again, so that what the machine does meanwhile hits all alike."""

import statistics
import tempfile
import urllib.error
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving import limit, load, servers
from benchmarks.serving.cases import Loan, Message, Task
from benchmarks.serving.contenders import FINML, WORKERS, Contender, Server
from benchmarks.serving.environments import InstallError, environment
from finml.errors import FinmlError
from finml.settings import Settings

CLOSE = 1e-5
CHECKED = 20
LIMITS: Mapping[str, Task] = {
    "credit_risk": "credit_risk",
    "credit_risk_reasons": "credit_risk",
    "intent": "intent",
}


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        repetitions: times that every server is started and measured; medians are taken.
        seconds: of one measured run.
        warm_up_s: of load before it.
        connections: how many callers ask at once.
    """

    repetitions: int = 3
    seconds: int = 3
    warm_up_s: int = 1
    connections: tuple[int, ...] = (1, 16, 64)


@dataclass(frozen=True)
class Run:
    """One measured run."""

    contender: str
    task: Task
    connections: int
    repetition: int
    measured: load.Load


@dataclass
class Findings:
    """All that was measured.

    Attributes:
        runs: of the contenders.
        limits: rows a second of the models alone, each repetition.
        skipped: servers that could not be measured, and why.
    """

    runs: list[Run]
    limits: dict[str, list[float]]
    skipped: dict[str, str]

    def of(self, contender: str, task: Task, connections: int) -> load.Load | None:
        """Medians of a contender's runs, `None` where there are none."""
        found = [
            asdict(run.measured)
            for run in self.runs
            if (run.contender, run.task, run.connections) == (contender, task, connections)
        ]
        if not found:
            return None
        return load.Load(**{name: statistics.median(run[name] for run in found) for name in found[0]})

    def paired(
        self, task: Task, connections: int, one: str, other: str
    ) -> dict[int, tuple[load.Load, load.Load]]:
        """What two contenders did, by repetition, where both were measured."""
        runs = {
            (run.contender, run.repetition): run.measured
            for run in self.runs
            if (run.task, run.connections) == (task, connections)
        }
        turns = {repetition for _, repetition in runs}
        return {
            turn: (runs[one, turn], runs[other, turn])
            for turn in sorted(turns)
            if (one, turn) in runs and (other, turn) in runs
        }

    def limit(self, name: str) -> float:
        """Median rows a second of a model alone."""
        return statistics.median(self.limits[name])


class WrongAnswerError(RuntimeError):
    """A server answers something else than the model says."""


FAILURES = (InstallError, servers.NotReadyError, WrongAnswerError, load.LoadError, FinmlError)


@dataclass(frozen=True)
class Bench:
    """What is measured with.

    Attributes:
        settings: of finml; its newest Bento is served.
        models: folders of the models.
        cases: what is asked, by task.
        cache: folder of the peers' environments.
        api_key: key that finml's guards let through.
    """

    settings: Settings
    models: Mapping[Task, Path]
    cases: Mapping[Task, Sequence[Any]]
    cache: Path
    api_key: str

    def measure(self, contenders: Sequence[Contender], plan: Plan) -> Findings:
        """Measure the contenders and the models alone."""
        findings = Findings([], {name: [] for name in LIMITS}, {})
        names = list(dict.fromkeys(contender.server.name for contender in contenders))
        # the models alone are measured next to what is held against them
        beside = FINML if FINML in names else next(iter(names), "")
        for repetition in range(plan.repetitions):
            # there and back: what slows the machine for minutes is no one's in particular
            for name in reversed(names) if repetition % 2 else names:
                if name == beside:
                    self._measure_limits({each.task for each in contenders}, plan, repetition, findings)
                self._measure_server(
                    [each for each in contenders if each.server.name == name], plan, repetition, findings
                )
        return findings

    def _measure_limits(
        self, tasks: Collection[Task], plan: Plan, repetition: int, findings: Findings
    ) -> None:
        for name, task in LIMITS.items():
            if task in tasks:
                rate = limit.in_processes(name, self.models[task], processes=WORKERS, seconds=plan.seconds)
                findings.limits[name].append(rate)
                print(f"{repetition}  {name} alone: {rate:.0f}/s", flush=True)

    def _measure_server(
        self, contenders: Sequence[Contender], plan: Plan, repetition: int, findings: Findings
    ) -> None:
        # one name may stand for several programs of one peer, each with its task
        for server in {id(each.server): each.server for each in contenders}.values():
            asked = [each for each in contenders if each.server is server]
            title = f"{server.name} ({', '.join(dict.fromkeys(each.task for each in asked))})"
            try:
                with self._running(server, asked) as url:
                    findings.runs += self._runs(url, asked, plan, repetition)
            except FAILURES as error:
                findings.skipped[title] = str(error).splitlines()[-1][-400:]
                print(f"{repetition}  {title} SKIPPED: {error}", flush=True)

    def _running(self, server: Server, asked: Sequence[Contender]) -> AbstractContextManager[str]:
        if server.command is None:
            return servers.finml(server, self.settings)
        python = environment(self.cache, server.name.split(",")[0].lower(), server.packages)
        first = [(each, self.cases[each.task][0]) for each in asked]
        return servers.peer(server, python, self.models, first)

    def _runs(self, url: str, asked: Sequence[Contender], plan: Plan, repetition: int) -> Iterator[Run]:
        for contender in asked:
            cases = self.cases[contender.task]
            api_key = "" if contender.server.command else self.api_key
            address = f"{url}{contender.path}"
            check(contender, address, cases[:CHECKED], api_key)
            with tempfile.TemporaryDirectory() as folder:
                bodies = load.write_bodies(Path(folder) / "bodies", [contender.body(case) for case in cases])
                for connections in plan.connections:
                    given: dict[str, Any] = {"connections": connections, "api_key": api_key}
                    load.send(address, bodies, seconds=plan.warm_up_s, **given)
                    measured = load.send(address, bodies, seconds=plan.seconds, **given)
                    print(
                        f"{repetition}  {contender.task:11}  {contender.name:38}  {connections:3}"
                        f"  {measured.rate:7.0f}/s  p50 {measured.p50_ms:7.2f}  p99 {measured.p99_ms:7.2f} ms"
                        f"  errors {measured.errors:.2%}  wrk {measured.generator:.0%}",
                        flush=True,
                    )
                    yield Run(contender.name, contender.task, connections, repetition, measured)


def check(contender: Contender, address: str, cases: Sequence[Any], api_key: str) -> None:
    """Ask about some cases.

    Raises:
        WrongAnswerError: an answer is not the model's.
    """
    for case in cases:
        try:
            found = contender.read(servers.ask(address, contender.body(case), api_key))
        except urllib.error.HTTPError as error:
            raise WrongAnswerError(f"{contender.name} answers {error}: {error.read()[:300]!r}") from error
        right = abs(found - case.probability) <= CLOSE if isinstance(case, Loan) else found == _intent(case)
        if not right:
            raise WrongAnswerError(f"{contender.name} answers {found!r} to {case}")


def _intent(case: Message) -> str:
    return case.intent
