"""Callers who send nonsense, or nothing."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

from benchmarks.faults.load import CALLERS
from benchmarks.faults.service import Fault, about_loans, observed, serving
from bentos.server import HOST
from finml.settings import Settings

SENDERS, EACH = 10, 1000
IDLE, HALF_OPEN = 500, 100
CUT_OFF_AFTER_S = 6
WRONG: list[dict[str, Any]] = [
    {"content": b"{"},
    {"content": b'{"inputs": ' + b"[" * 3000},
    {"json": {"inputs": [{"user_id": 7}]}},
    {"json": {"inputs": []}},
    {"json": {"inputs": [{"user_id": "u", "loan_amount": -1}] * 40}},
    {"content": b"\xff\xfe" * 100},
    {"content": b"0" * (2 << 20)},
    {"content": b"<xml/>", "headers": {"content-type": "text/xml"}},
    {"json": {}, "headers": {"x-api-key": "wrong"}},
    {"content": b"", "headers": {"x-request-id": "a" * 500}},
]


def malformed(settings: Settings, users: Sequence[str]) -> Fault:
    """10,000 requests that are wrong in every way, beside good ones."""
    with serving(settings, about_loans(users[:CALLERS])) as service:
        got: Counter[int] = Counter()

        def send() -> None:
            # from an address of their own: many wrong keys shut out the address that they come from
            apart = httpx.HTTPTransport(local_address="127.0.0.2")
            with httpx.Client(base_url=service.url, timeout=30, transport=apart) as client:
                for turn in range(EACH):
                    kind = WRONG[turn % len(WRONG)]
                    headers = {
                        "x-api-key": service.key,
                        "content-type": "application/json",
                        **kind.get("headers", {}),
                    }
                    given = {name: value for name, value in kind.items() if name != "headers"}
                    try:
                        got[client.post("/predict/credit_risk", headers=headers, **given).status_code] += 1
                    except httpx.HTTPError:
                        got[0] += 1

        senders = [threading.Thread(target=send) for _ in range(SENDERS)]

        def all_at_once() -> None:
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()

        fault = observed(f"{SENDERS * EACH:,} malformed requests", service, all_at_once)
    answers = ", ".join(f"{count:,} x {status or 'cut off'}" for status, count in sorted(got.items()))
    fault.seen += f"; the malformed: {answers}"
    return fault


def idle(settings: Settings, users: Sequence[str]) -> Fault:
    """Connections that say nothing, and some that send half a head."""
    with serving(settings, about_loans(users[:CALLERS])) as service:
        port = int(service.url.rpartition(":")[2])
        opened: list[socket.socket] = []

        def open_them() -> None:
            for number in range(IDLE + HALF_OPEN):
                connection = socket.create_connection((HOST, port))
                opened.append(connection)
                if number >= IDLE:
                    connection.sendall(b"POST /predict/credit_risk HT")

        fault = observed(f"{IDLE} idle and {HALF_OPEN} half-open connections", service, open_them)
        time.sleep(CUT_OFF_AFTER_S)
        cut = sum(is_closed(connection) for connection in opened)
    fault.seen += f"; {cut} of {len(opened)} were cut off"
    return fault


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has hung up; closes it."""
    with connection:
        connection.settimeout(0.01)
        try:
            return connection.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True
