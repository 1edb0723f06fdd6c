"""One line a request, cheap enough for the request's path: formatted by hand, written some at a time."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bentos.ids import Ids

FLUSH_S = 0.25
MOST_LINES = 1000


class AccessLog:
    """Collects lines and writes them together, at the latest after `FLUSH_S` seconds.

    The fields that a caller chooses reach the log only as JSON strings, or checked before: ids of harmless
    characters, the path of a route that exists. Other paths are not logged here.
    """

    def __init__(
        self, *, as_json: bool, enabled: bool = True, write: Callable[[str], object] | None = None
    ) -> None:
        """Open the log.

        Args:
            as_json: JSON lines for machines, or plain words for people.
            enabled: false writes nothing, as where only warnings are logged.
            write: where lines go; `None` for standard error.
        """
        self._as_json, self._enabled = as_json, enabled
        self._write = write
        self._lines: list[str] = []
        self._second, self._written = 0, ""
        self._flushing = False

    def add(self, *, method: str, path: str, status: int, seconds: float, ids: Ids, caller: str) -> None:
        """Log one request. `path` and `caller` are written as they are given."""
        if not self._enabled:
            return
        now = self._now()
        milliseconds = f"{seconds * 1000:.2f}"
        if self._as_json:
            line = (
                f'{{"event":"request","method":{json.dumps(method)},"path":{json.dumps(path)},'
                f'"status":{status},"ms":{milliseconds},{members(ids)},'
                f'"caller":{json.dumps(caller)},"level":"info","timestamp":"{now}"}}\n'
            )
        else:
            line = f"{now} [info] {method} {path} {status} {milliseconds} ms {words(ids)} {caller}\n"
        self._lines.append(line)
        if len(self._lines) >= MOST_LINES:
            self.flush()
        elif not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def _now(self) -> str:
        """The moment, in milliseconds; its second is written out once."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._written = second, datetime.fromtimestamp(second, UTC).isoformat()[:-6]
        return f"{self._written}.{int((now - second) * 1000):03d}Z"

    def flush(self) -> None:
        """Write what was collected."""
        self._flushing = False
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            (self._write or sys.stderr.write)("".join(lines))
            if self._write is None:
                sys.stderr.flush()
        except OSError:
            # a log that cannot be written must not fail the request
            return


def members(ids: Ids) -> str:
    """Members of a JSON object; ids hold nothing that JSON would escape."""
    if not (ids.correlation or ids.trace):
        return f'"request_id":"{ids.request}"'
    return ",".join(f'"{name}":"{value}"' for name, value in ids.fields.items())


def words(ids: Ids) -> str:
    """The ids in plain words."""
    return " ".join([ids.request, *(f"{name}={value}" for name, value in [*ids.fields.items()][1:])])
