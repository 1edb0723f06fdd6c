"""Reading and writing the routing file and its history, safe among processes and against crashes."""

import errno
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import yaml
from filelock import FileLock, Timeout
from pydantic import ValidationError

from finml.errors import RoutingError
from finml.routing.rules import Routing

LOCK_TIMEOUT_S = 10

Held = Mapping[str, Collection[str]]
"""Variants that a Bento holds, by model."""


def read(path: Path) -> Routing:
    """The routing that a file says; where there is none, every model is answered by its champion.

    Raises:
        RoutingError: the file cannot be read or is not a routing file.
    """
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Routing()
    except (OSError, UnicodeDecodeError) as error:
        raise RoutingError(f"the routing file cannot be read: {error}", hint=f"see {path}") from error


def parse(text: str) -> Routing:
    """The routing of a YAML document.

    Raises:
        RoutingError: it breaks the contract; the message says where.
    """
    try:
        return Routing.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise RoutingError(f"the routing file is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'the file'}: {each['msg']}"
            for each in error.errors(include_url=False)
        )
        raise RoutingError(
            f"the routing file breaks its contract: {found}", hint="docs/routing.md shows what it can hold"
        ) from None


def misfits(routing: Routing, held: Held) -> dict[str, str]:
    """What a Bento cannot do of a routing: by model, why."""
    found = {}
    for model, rule in routing.models.items():
        lacking = sorted(rule.variants.difference(held.get(model, ())))
        if model not in held:
            found[model] = f"the Bento holds no model {model}"
        elif lacking:
            found[model] = f"the Bento holds no {' and no '.join(lacking)} of {model}"
    return found


def change(
    path: Path,
    make: Callable[[Routing], Routing | None],
    entry: Mapping[str, object],
    *,
    lock_s: float | None = None,
) -> Routing | None:
    """Change the file: written beside, then renamed, by one process at a time, and noted in its history.

    The note comes first, so that no change goes without one, and is taken back where the change fails after
    all. A process that is killed between the two leaves a note of a change that did not come.

    Args:
        path: the file.
        make: the new routing for the present one, or `None` to leave it.
        entry: what the history keeps beside the rules that changed.
        lock_s: for how long another process is waited for; by default `LOCK_TIMEOUT_S`.

    Returns:
        The new routing, or `None` where it was left.

    Raises:
        RoutingError: the present file is broken, or another process holds it.
        OSError: the folder or the history cannot be written; the file is as it was.
    """
    with locked(path, lock_s):
        before = read(path)
        after = make(before)
        if after is None or after == before:
            return None
        beside = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(written(after))
                file.flush()
                os.fsync(file.fileno())
            with _noted(path, before, after, entry, came=lambda: not beside.exists()):
                beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return after


def written(routing: Routing) -> str:
    """A routing as the file holds it."""
    document = {"models": {}} | routing.model_dump(mode="json", exclude_defaults=True)
    for model, rule in routing.models.items():
        if rule.canary:
            # every limit in full, so that whoever reads it need not know the defaults
            document["models"][model]["canary"] = rule.canary.model_dump(mode="json")
        elif set(document["models"][model]) == {"to"}:
            document["models"][model] = rule.to
    # all but ASCII is escaped: YAML takes some characters for line breaks, and a salt must stay as it is
    return yaml.safe_dump(document, sort_keys=False, width=110)


def history_file(path: Path) -> Path:
    """Where the changes of a routing file are noted, one line of JSON each."""
    return path.with_suffix(".history.jsonl")


@contextmanager
def _noted(
    path: Path, before: Routing, after: Routing, entry: Mapping[str, object], *, came: Callable[[], bool]
) -> Iterator[None]:
    """Append a change to the history, and take it back where the block fails and the change has not come."""
    at = datetime.now(UTC).isoformat()
    lines = []
    for model in sorted(before.models | after.models):
        was, becomes = before.rule(model), after.rule(model)
        if was != becomes:
            said = {"before": was, "after": becomes}
            rules = {key: rule.model_dump(mode="json", exclude_defaults=True) for key, rule in said.items()}
            lines.append(json.dumps({"at": at, "model": model, **entry, **rules}, ensure_ascii=False) + "\n")
    with history_file(path).open("ab", buffering=0) as file:
        size, note = os.fstat(file.fileno()).st_size, "".join(lines).encode()
        try:
            if file.write(note) < len(note):
                # what a full disk does to the write that fills it
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(history_file(path)))
            os.fsync(file.fileno())
            yield
        except BaseException:
            # an interrupt may come after the rename; who writes holds the lock, so nobody has appended since
            with suppress(OSError):
                if not came():
                    file.truncate(size)
            raise


@contextmanager
def locked(path: Path, timeout_s: float | None = None) -> Iterator[None]:
    """Sole right to change the file among the processes that see its folder.

    Raises:
        RoutingError: another process holds it for too long.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    timeout_s = LOCK_TIMEOUT_S if timeout_s is None else timeout_s
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=timeout_s):
            yield
    except Timeout as error:
        raise RoutingError(
            f"another process holds {path} for more than {timeout_s:g} s", hint="run the command again"
        ) from error
