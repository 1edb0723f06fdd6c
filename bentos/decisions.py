"""Decisions on their way to the audit log: those of one turn of the event loop go by one write."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from finml.audit import AuditLog

Entries = Sequence[Mapping[str, Any]]


class Decisions:
    """Enters what requests decide. Used from one event loop.

    A batch answers many requests at once. A write for each would cost as much as scoring them, and let go of
    the interpreter's lock as often.
    """

    def __init__(self, audit: AuditLog) -> None:
        """Take the log."""
        self._audit = audit
        self._waiting: list[tuple[Entries, asyncio.Future[None]]] = []

    async def enter(self, entries: Entries) -> None:
        """Return once `entries` are in the log, all of them.

        Raises:
            AuditError: they cannot be entered.
            ValueError: they are none, see `AuditLog.append`.
        """
        loop = asyncio.get_running_loop()
        entered: asyncio.Future[None] = loop.create_future()
        self._waiting.append((entries, entered))
        if len(self._waiting) == 1:
            loop.call_soon(self._write)
        await entered

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            self._audit.append([entry for entries, _ in waiting for entry in entries])
        except ValueError as error:
            if len(waiting) == 1:
                self._settle(waiting, error)
                return
            # what one request decides must not fail the others
            for one in waiting:
                self._waiting = [one]
                self._write()
        except Exception as error:
            self._settle(waiting, error)
        else:
            self._settle(waiting, None)

    @staticmethod
    def _settle(waiting: Sequence[tuple[Entries, "asyncio.Future[None]"]], error: Exception | None) -> None:
        for _, entered in waiting:
            if entered.done():
                # its caller has left; the decision stands in the log all the same
                continue
            if error is None:
                entered.set_result(None)
            else:
                entered.set_exception(error)
