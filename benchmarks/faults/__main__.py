"""Inflicts faults on the real service and prints a table of what callers saw and what was lost.

`FINML_HOME=… python -m benchmarks.faults` starts a Bento with two workers for each fault, lets eight callers
ask it all the while, breaks something, mends it, and reports. Needs `redis-server` and PostgreSQL's server;
as root it fills small disks of its own.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from benchmarks.faults import callers, logs, processes, stores, versions
from benchmarks.faults.bento import newest
from benchmarks.faults.service import Fault
from finml.settings import Settings, get_settings

FAULTS: Mapping[str, Callable[[Settings, Sequence[str]], Fault]] = {
    "redis_killed": stores.killed,
    "redis_hangs": stores.hangs,
    "redis_slow": stores.slow,
    "redis_stale": stores.stale,
    "limits_redis": stores.limits,
    "postgresql": logs.postgresql_gone,
    "log_disk": logs.inference_disk,
    "audit_disk": logs.audit_disk,
    "champion_raises": versions.champion,
    "challenger_raises": versions.challenger,
    "worker_killed": processes.worker_killed,
    "stopped": processes.stopped,
    "malformed": callers.malformed,
    "idle": callers.idle,
}


def main() -> int:
    """Inflict the faults and print the table."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__.splitlines()[0])
    options.add_argument("--only", default="", help="faults whose name holds this")
    only = options.parse_args().only
    from loadtests.plan import users_of_ledger

    settings = get_settings()
    users = users_of_ledger(settings)
    newest()
    print("| fault | callers saw, from the fault on | longest | last failure after the mending | lost |")
    print("|---|---|--:|--:|---|")
    for name, inflict in FAULTS.items():
        # a disk is mounted by root
        if only in name and (os.geteuid() == 0 or "disk" not in name):
            print(inflict(settings, users).row(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
