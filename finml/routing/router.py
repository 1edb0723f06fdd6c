"""Says which version answers an input, follows the routing file, and ends canaries that break their limits.

Asking is a matter of a microsecond: everything that takes longer, reading the file, the clock, judging,
happens in a thread beside. Each serving process has a router of its own; they agree since they read one file,
hash users alike and go by the clock.
"""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from finml.errors import RoutingError
from finml.routing import file
from finml.routing.endings import Endings
from finml.routing.file import Held
from finml.routing.judgement import Breach, judge
from finml.routing.routes import TO_CHALLENGER, TO_CHAMPION, TO_PREVIOUS, Choice, Route, route_of
from finml.routing.rules import Routing, Rule
from finml.routing.sticky import places
from finml.routing.windows import Watch

log = structlog.get_logger(__name__)

POLL_S = 0.25
CHECK_EVERY = 4  # polls between two looks at the canaries


class Router:
    """The routing of one serving process."""

    def __init__(
        self, path: Path, held: Held, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Read the file, if there is one; without it every model is answered by its champion.

        A file that breaks the contract is refused as a whole, and what was taken last stays. Of one that asks
        for what the Bento does not hold only these models' rules are, so that a mistake about one model keeps
        no rollback of another from being taken. Where nothing was taken yet, a champion answers.

        Args:
            path: the routing file, `settings.routing`.
            held: variants that the Bento holds, by model.
            now: the clock, with a time zone.
        """
        self._path, self._held, self._now = path, held, now
        self._refused = ""
        self._routing = Routing()
        self._routes: dict[str, Route] = {}
        self._watches: dict[str, Watch] = {}
        self._judged: dict[str, int] = {}
        self._endings = Endings(path, now)
        self._signature: object = ()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.refresh()

    @property
    def error(self) -> str:
        """Why the file as it stands is not followed, or not in all; empty where it is."""
        return "; ".join(filter(None, (self._refused, self._endings.error)))

    def route(self, model: str, sticky: str) -> Choice:
        """Who answers an input.

        Args:
            model: the model's name; one that is not known is answered by its champion.
            sticky: what to keep at the same version: the input's user, or its text. Empty where there is
                neither; the input is then dealt out by chance.
        """
        route = self._routes.get(model)
        if route is None:
            return TO_CHAMPION
        if route.place is None:
            return route.rest
        place = route.place(sticky) if sticky else random.random()  # noqa: S311  # nosec B311  # no secret
        if place < route.challenger_below:
            return TO_CHALLENGER
        return TO_PREVIOUS if place >= route.previous_from else route.rest

    def observe(
        self, model: str, variant: str, *, ok: bool, latency_s: float, score: float | None = None
    ) -> None:
        """Tell how a variant did with one request; kept only where a canary is on.

        Args:
            model: the model's name.
            variant: who answered.
            ok: whether it could.
            latency_s: seconds from the request's arrival to its answer.
            score: the number that stands for the answer to its first input; `None` where there is none.
        """
        watch = self._watches.get(model)
        if watch is not None:
            watch.observe(variant, ok, latency_s, score)

    def start(self) -> None:
        """Follow the file and judge the canaries from now on, in a thread."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._follow, name="finml-routing", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def refresh(self) -> None:
        """Take the file if it has changed, and the step that each canary is at now."""
        signature = self._sign()
        if signature != self._signature:
            self._signature = signature
            self._load()
        self._compile()

    def check(self) -> dict[str, Breach]:
        """Judge every canary by what was observed; end those that break their limits, and say why."""
        found = {}
        for model, watch in self._watches.items():
            seen = watch.seen["challenger"]
            if seen == self._judged.get(model):
                continue
            self._judged[model] = seen
            breach = judge(watch.canary, watch.sample("champion"), watch.sample("challenger"))
            if breach:
                found[model] = breach
        for model, breach in found.items():
            self._endings.end(model, self._watches[model].canary, breach)
        if found:
            # here at once; the file may have to be waited for
            self._compile()
        self._endings.write()
        return found

    def shown(self) -> dict[str, Any]:
        """How each model is routed in this process at this moment, as JSON."""
        watches, models = self._watches, {}
        for model, variants in sorted(self._held.items()):
            rule, watch = self._rule(model), watches.get(model)
            note = rule.rolled_back
            models[model] = {
                "rule": rule.words,
                **self._routes.get(model, Route()).shares(),
                "held": list(variants),
                "observed": dict(watch.seen) if watch else None,
                "rolled_back": note.model_dump(mode="json", exclude={"canary"}) if note else None,
            }
        return {"models": models, "error": self.error or None}

    def _follow(self) -> None:
        looks = 0
        while not self._stop.wait(POLL_S):
            looks += 1
            try:
                self.refresh()
                if looks % CHECK_EVERY == 0:
                    self.check()
            except Exception:
                # the thread must outlive whatever happens: without it no rollback reaches this process
                log.exception("routing_not_followed")

    def _sign(self) -> object:
        """What changes whenever the file does."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return error.errno
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _load(self) -> None:
        """Take what the file says, and keep the last good rule where it cannot be followed."""
        try:
            routing = file.read(self._path)
        except RoutingError as error:
            self._refuse(str(error))
            return
        misfits = file.misfits(routing, self._held)
        self._refused = ""
        if misfits:
            self._refuse("; ".join(misfits.values()))
            kept = {model: self._routing.rule(model) for model in misfits if model in self._held}
            rules = {model: rule for model, rule in routing.models.items() if model not in misfits}
            routing = routing.model_copy(update={"models": rules | kept})
        self._routing = routing
        log.info("routing_taken", rules={model: rule.words for model, rule in routing.models.items()})

    def _refuse(self, reason: str) -> None:
        self._refused = reason
        log.error("routing_refused", reason=reason)

    def _rule(self, model: str) -> Rule:
        """The rule of a model, with a canary that this process has ended taken for ended."""
        rule = self._routing.rule(model)
        note = self._endings.note(model, rule.canary)
        return Rule(to="champion", rolled_back=note) if note else rule

    def _compile(self) -> None:
        """Make routes of the rules as of now, and watch the canaries that are on."""
        now = self._now()
        routes, watches = {}, {}
        for model in self._routing.models:
            rule = self._rule(model)
            routes[model] = route_of(rule, places(self._routing.salt, model), now)
            if rule.canary:
                watch = self._watches.get(model)
                same = watch is not None and watch.canary == rule.canary
                watches[model] = watch if watch is not None and same else Watch(rule.canary)
        # replaced as a whole, so that whoever asks meanwhile sees one or the other
        self._routes, self._watches = routes, watches
