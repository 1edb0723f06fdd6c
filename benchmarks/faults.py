"""What callers see, and what is lost, when something breaks under load: a table, made on the real service.

`FINML_HOME=… python -m benchmarks.faults` starts the newest Bento with two workers for each fault, lets
callers ask `credit_risk` about users of the ledger all the while, breaks something, mends it, and reports.
Needs `redis-server`; as root it fills a small disk of its own.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

from bentos.server import HOST, free_port, is_ready, newest_bento, start, stop
from finml.access.temporary import temporary_key
from finml.settings import Settings, get_settings

CALLERS = 8
BEFORE_S, BROKEN_S, AFTER_S = 2.0, 4.0, 4.0
UNLIMITED = {"rate_per_s": 1e6, "rate_burst": 10**6, "daily_quota": 10**9, "drain_s": 1.0}


@dataclass
class Seen:
    """What callers saw: moment, status (0: no whole answer) and seconds of every request."""

    requests: list[tuple[float, int, float]] = field(default_factory=list)
    refused: int = 0

    def row(self, broken: float, mended: float) -> tuple[str, str, str]:
        """Statuses from the fault on, the longest wait, and seconds from the mending to the last failure."""
        since = [one for one in self.requests if one[0] >= broken]
        statuses = Counter(status for _, status, _ in since)
        words = ", ".join(f"{count} x {status or 'broken off'}" for status, count in statuses.most_common())
        if self.refused:
            words += f"; {self.refused} connections not taken"
        longest = max((seconds for *_, seconds in since), default=0.0)
        last = max((at for at, status, _ in since if status != 200 and at > mended), default=mended)
        return words, f"{1000 * longest:.0f} ms", f"{last - mended:.1f} s"


@dataclass
class Service:
    """A service under load."""

    url: str
    key: str
    process: subprocess.Popen[bytes]
    settings: Settings
    seen: Seen
    lost: str = ""

    def workers(self) -> list[psutil.Process]:
        """The processes that serve."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def ask(service: Service, body: dict[str, Any], over: threading.Event) -> None:
    """One caller: asks, waits for its answer, asks again."""
    with httpx.Client(base_url=service.url, timeout=30, headers={"X-API-Key": service.key}) as client:
        while not over.is_set():
            began = time.monotonic()
            try:
                status = client.post("/predict/credit_risk", json=body).status_code
            except httpx.ConnectError:
                service.seen.refused += 1
                over.wait(0.1)
                continue
            except httpx.HTTPError:
                status = 0
            service.seen.requests.append((began, status, time.monotonic() - began))
            over.wait(0.005)


@contextmanager
def serving(settings: Settings, users: list[str], tag: str | None = None) -> Iterator[Service]:
    """A Bento, the newest by default, with two workers and callers that ask it as long as the block lasts."""
    settings = settings.model_copy(update={**UNLIMITED, "auth": "required"})
    port = free_port()
    with temporary_key(settings, "faults", ["*:*"]) as key, tempfile.TemporaryFile() as log:
        process = start(settings, port, tag=tag or newest(), workers=2, output=log.fileno())
        service = Service(f"http://{HOST}:{port}", key, process, settings, Seen())
        over = threading.Event()
        bodies = [{"inputs": [{"user_id": user, "loan_amount": 1000.0}]} for user in users[:CALLERS]]
        threads = [threading.Thread(target=ask, args=(service, body, over)) for body in bodies]
        try:
            until(lambda: is_ready(service.url), 120)
            for thread in threads:
                thread.start()
            yield service
        finally:
            over.set()
            for thread in threads:
                if thread.ident:
                    thread.join()
            stop(process)
            service.lost = lost(service)


def lost(service: Service) -> str:
    """What the logs lack of what was answered, and whether the audit log is whole."""
    from finml.audit import audit_folder, audit_secret, verify
    from finml.monitoring.reading import read

    key_id = service.key.split("_")[1]
    answered = sum(status == 200 for _, status, _ in service.seen.requests)
    predictions = read(service.settings, columns=["caller"])
    logged = int((predictions["caller"] == key_id).sum())
    folder = audit_folder(service.settings)
    decided = sum(
        f'"{key_id}"' in line
        for file in folder.glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    problems = verify(folder, audit_secret(service.settings)).problems
    return (
        f"of {answered} answers {max(answered - logged, 0)} not in the inference log, "
        f"{max(answered - decided, 0)} not in the audit log; {len(problems)} problems in it"
    )


@cache
def newest() -> str:
    """The Bento that was the newest as the faults began: those for Redis are packaged on the way."""
    return newest_bento(get_settings())


def until(condition: Callable[[], bool], within_s: float) -> None:
    """Wait for a condition; raises where it does not come."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def observed(
    service: Service, break_it: Callable[[], object], mend: Callable[[], object]
) -> tuple[str, str, str]:
    """Break something and mend it; what callers saw."""
    time.sleep(BEFORE_S)
    broken = time.monotonic()
    break_it()
    time.sleep(BROKEN_S)
    mended = time.monotonic()
    mend()
    time.sleep(AFTER_S)
    return service.seen.row(broken, mended)


def redis_server(port: int) -> subprocess.Popen[str]:
    """A Redis that keeps nothing on disk."""
    command = ["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in server.stdout or ():
        if "Ready to accept" in line:
            return server
    raise SystemExit("redis-server did not start")


def packaged(settings: Settings) -> str:
    """Tag of a Bento of the champion of `credit_risk` that reads the store which the settings name."""
    from bentos.packaging import package
    from feature_repo import definitions
    from finml.registry.client import connect
    from finml.registry.versions import find

    with connect(settings) as client:
        champion = find(client, "credit_risk", "champion")
    return package(settings, [champion], definitions(settings)).tag


def filled(settings: Settings) -> None:
    """Put the ledger's features into the store that the settings name."""
    from feature_repo import definitions
    from finml.features.materialize import materialize
    from finml.features.store import apply

    repo = definitions(settings)
    apply(settings, repo)
    materialize(settings, repo, full=True)


def redis_killed(settings: Settings, users: list[str]) -> "Fault":
    """The online store dies and comes back empty, and is filled again."""
    port = free_port()
    with_redis = settings.model_copy(update={"redis_url": f"redis://{HOST}:{port}/0", "feature_cache_s": 0.0})
    server = [redis_server(port)]
    try:
        filled(with_redis)
        with serving(with_redis, users, tag=packaged(with_redis)) as service:

            def back() -> None:
                server.append(redis_server(port))
                filled(with_redis)

            row = observed(service, server[0].kill, back)
            return "Redis killed, and back filled anew", row, service
    finally:
        server[-1].kill()
        filled(settings)


def redis_slow(settings: Settings, users: list[str]) -> "Fault":
    """The online store hangs: its process is stopped, its connections stay open."""
    port = free_port()
    with_redis = settings.model_copy(update={"redis_url": f"redis://{HOST}:{port}/0", "feature_cache_s": 0.0})
    server = redis_server(port)
    try:
        filled(with_redis)
        with serving(with_redis, users, tag=packaged(with_redis)) as service:
            row = observed(
                service,
                lambda: server.send_signal(signal.SIGSTOP),
                lambda: server.send_signal(signal.SIGCONT),
            )
            return f"Redis hangs (limit {settings.store_timeout_s:g} s)", row, service
    finally:
        server.send_signal(signal.SIGCONT)
        server.kill()
        filled(settings)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own, mounted over a folder, whose files are there again afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def disk_full(settings: Settings, users: list[str], *, name: str, folder: str) -> "Fault":
    """The disk of a log fills up, and gets room again."""
    with small_disk(settings.home / folder, "4m") as disk, serving(settings, users) as service:
        ballast = disk / "ballast"

        def fill() -> None:
            descriptor = os.open(ballast, os.O_CREAT | os.O_WRONLY)
            try:
                while os.write(descriptor, b"0" * 4096):
                    pass
            except OSError:
                os.close(descriptor)

        row = observed(service, fill, ballast.unlink)
        return f"disk of the {name} full", row, service


def worker_killed(settings: Settings, users: list[str]) -> "Fault":
    """A worker is killed outright."""
    with serving(settings, users) as service:

        def kill() -> None:
            service.workers()[0].kill()

        row = observed(service, kill, lambda: None)
        return "worker killed (SIGKILL)", row, service


def stopped(settings: Settings, users: list[str]) -> "Fault":
    """The service is told to stop."""
    with serving(settings, users) as service:
        row = observed(service, service.process.terminate, lambda: service.process.wait(30))
        return "SIGTERM", (row[0], row[1], ""), service


def malformed(settings: Settings, users: list[str]) -> "Fault":
    """10,000 requests that are wrong in every way, beside good ones."""
    kinds: list[dict[str, Any]] = [
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
    with serving(settings, users) as service:
        got: Counter[int] = Counter()

        def send() -> None:
            # from an address of their own: many wrong keys shut out the address that they come from
            apart = httpx.HTTPTransport(local_address="127.0.0.2")
            with httpx.Client(base_url=service.url, timeout=30, transport=apart) as client:
                for turn in range(1000):
                    kind = kinds[turn % len(kinds)]
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

        senders = [threading.Thread(target=send) for _ in range(10)]

        def all_at_once() -> None:
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()

        row = observed(service, all_at_once, lambda: None)
        answers = ", ".join(f"{count} x {status or 'cut off'}" for status, count in sorted(got.items()))
        return f"10,000 malformed requests (answered {answers})", row, service


def idle(settings: Settings, users: list[str]) -> "Fault":
    """500 connections that say nothing, and 100 that send half a head."""
    with serving(settings, users) as service:
        port = int(service.url.rpartition(":")[2])
        opened: list[socket.socket] = []

        def open_them() -> None:
            for number in range(600):
                connection = socket.create_connection((HOST, port))
                opened.append(connection)
                if number >= 500:
                    connection.sendall(b"POST /predict/credit_risk HT")

        row = observed(service, open_them, lambda: None)
        time.sleep(6)
        cut = 0
        for connection in opened:
            connection.settimeout(0.01)
            try:
                cut += connection.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                cut += 1
            connection.close()
        return f"500 idle and 100 half-open connections ({cut} of 600 cut off when looked at)", row, service


Fault = tuple[str, tuple[str, str, str], Service]
"""What was done, what callers saw of it, and the service."""

FAULTS: dict[str, Callable[[Settings, list[str]], "Fault"]] = {
    "redis_killed": redis_killed,
    "redis_slow": redis_slow,
    "log_disk": lambda s, u: disk_full(s, u, name="inference log", folder="inference_log"),
    "audit_disk": lambda s, u: disk_full(s, u, name="audit log", folder="audit"),
    "worker_killed": worker_killed,
    "stopped": stopped,
    "malformed": malformed,
    "idle": idle,
}


def main() -> int:
    """Inflict the faults and print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", default="", help="faults whose name holds this")
    only = options.parse_args().only
    settings = get_settings()
    from loadtests.plan import users_of_ledger

    users = users_of_ledger(settings)
    newest()
    print("| fault | callers saw, from the fault on | longest | last failure after the mending | lost |")
    print("|---|---|--:|--:|---|")
    for name, inflict in FAULTS.items():
        if only in name and (os.geteuid() == 0 or "disk" not in name):
            title, row, service = inflict(settings, users)
            print("| " + " | ".join([title, *row, service.lost]) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
