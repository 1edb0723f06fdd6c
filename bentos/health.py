"""Whether the service and what it depends on work: for probes, which must be cheap, and for people."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import structlog

log = structlog.get_logger(__name__)

Check = Callable[[], object] | Callable[[], Awaitable[object]]
"""Raises where a dependency cannot be used. A plain function may block; it is called in a thread."""

Document = dict[str, Any]
OK, UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        ok: whether the dependency can be used.
        latency_ms: how long finding out took.
        error: the kind of error; never its message, which may name hosts, files or users.
    """

    ok: bool
    latency_ms: float
    error: str = ""


class Health:
    """The dependencies of a service and how they are.

    Used from one event loop. What was found is reused for a moment, and one look answers all who ask then:
    probes of many sorts are no load of their own.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        required: Collection[str] | None = None,
        limit_s: float = 1.0,
        reuse_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Checks nothing yet.

        Args:
            checks: dependency by name, as in `online_store`.
            required: names of those without which the service is not ready; all of them when `None`.
            limit_s: seconds after which a check has failed.
            reuse_s: seconds for which a finding is reused.
            clock: seconds that never go back, of the reuse.

        Raises:
            ValueError: a required name has no check.
        """
        self._required = frozenset(checks if required is None else required)
        if unknown := self._required - checks.keys():
            raise ValueError(f"no such checks: {', '.join(sorted(unknown))}")
        self._checks = {
            name: _Checked(name, check, limit_s, reuse_s, clock) for name, check in checks.items()
        }

    async def livez(self) -> tuple[bool, Document]:
        """Whether the process answers; it does. Looks at nothing else: a restart mends no dependency."""
        return True, {"status": "ok"}

    async def readyz(self) -> tuple[bool, Document]:
        """Whether requests can be answered, with the names of what is required and fails."""
        found = await self._look(self._required)
        failing = sorted(name for name, finding in found.items() if not finding.ok)
        document: Document = {"status": "failing" if failing else "ok"}
        if failing:
            document["failing"] = failing
        return not failing, document

    async def healthz(self) -> tuple[int, Document]:
        """Each dependency with its latency.

        Returns:
            The HTTP status, 503 where a required dependency fails, and a document whose `status` is `ok`,
            `degraded` (one that is not required fails) or `failing`.
        """
        found = await self._look(self._checks)
        status: Literal["ok", "degraded", "failing"] = "ok"
        if any(not finding.ok for finding in found.values()):
            status = "degraded"
        if any(not found[name].ok for name in self._required):
            status = "failing"
        checks = {
            name: {
                "ok": finding.ok,
                "required": name in self._required,
                "latency_ms": round(finding.latency_ms, 2),
            }
            | ({"error": finding.error} if finding.error else {})
            for name, finding in found.items()
        }
        return UNAVAILABLE if status == "failing" else OK, {"status": status, "checks": checks}

    def close(self) -> None:
        """Let the threads end when their checks do."""
        for checked in self._checks.values():
            checked.close()

    async def _look(self, names: Collection[str]) -> dict[str, Finding]:
        findings = await asyncio.gather(*(self._checks[name].finding() for name in names))
        return dict(zip(names, findings, strict=True))


class _Checked:
    """One dependency: its check, its thread, and what was found last."""

    def __init__(
        self, name: str, check: Check, limit_s: float, reuse_s: float, clock: Callable[[], float]
    ) -> None:
        self._name, self._check = name, check
        self._limit_s, self._reuse_s, self._clock = limit_s, reuse_s, clock
        # a thread of its own: a check that hangs holds up no other, and there is never a second of it
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"check-{name}")
        self._looking: asyncio.Task[Finding] | None = None
        self._hanging: asyncio.Future[object] | None = None
        self._found: tuple[float, Finding] | None = None

    async def finding(self) -> Finding:
        if self._found is not None and self._clock() - self._found[0] < self._reuse_s:
            return self._found[1]
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._end)
        # a prober that hangs up must not end the look for the others
        return await asyncio.shield(self._looking)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _end(self, _: "asyncio.Task[Finding]") -> None:
        self._looking = None

    async def _look(self) -> Finding:
        started = time.perf_counter()
        error = ""
        try:
            await asyncio.wait_for(self._run(), self._limit_s)
        except TimeoutError:
            error = "TimeoutError"
        except Exception as caught:
            error = type(caught).__name__
        finding = Finding(not error, (time.perf_counter() - started) * 1000, error)
        before = self._found[1].ok if self._found else True
        if finding.ok is not before:
            log.warning("dependency_changed", dependency=self._name, ok=finding.ok, error=error)
        self._found = self._clock(), finding
        return finding

    async def _run(self) -> None:
        if inspect.iscoroutinefunction(self._check):
            await self._check()
            return
        if self._hanging is None or self._hanging.done():
            self._hanging = asyncio.get_running_loop().run_in_executor(self._thread, self._check)
            # nobody may be left to hear what it ends with
            self._hanging.add_done_callback(lambda done: done.cancelled() or done.exception())
        # where the last one still hangs, wait for that one: its answer is one too
        await asyncio.shield(self._hanging)
