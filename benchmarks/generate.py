"""Generate synthetic banks of two sizes, the second ten times the first, and print speed and peak memory.

    python benchmarks/generate.py --users 2000 --months 24

Each size runs in a process of its own, so that a peak is that size's. The peak without any user is what the
interpreter and the libraries take. Where other programs run, the CPU's seconds say more than the clock's.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from finml.ledger.synthetic import generate
from finml.ledger.writer import open_writer

ROW = (
    "| {users:,} | {rows:,} | {seconds:.1f} | {speed:,.0f} | {cpu_seconds:.1f} | {cpu_speed:,.0f} "
    "| {peak_mib:.0f} | {start_mib:.0f} | {written_mib:.0f} |"
)


def measure(users: int, months: int, seed: int) -> dict[str, float]:
    """Generate one bank into a folder that is deleted again."""
    start_mib = _peak_mib()
    with tempfile.TemporaryDirectory() as folder:
        started, cpu_started = time.perf_counter(), time.process_time()
        with open_writer(str(Path(folder) / "ledger"), "synthetic") as writer:
            rows = generate(writer, users=users, months=months, seed=seed)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        written = sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))
    return {
        "users": users,
        "rows": sum(rows.values()),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "start_mib": start_mib,
        "peak_mib": _peak_mib(),
        "written_mib": written / 2**20,
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure both sizes and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=2000, help="users of the smaller bank")
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--one", action="store_true", help="measure that size alone, here, and print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.users, options.months, options.seed)))
        return
    print(f"months {options.months}, seed {options.seed}, Python {sys.version.split()[0]}\n")
    print("| users | rows | seconds | rows/s | CPU s | rows/CPU s | peak MiB | at the start | written MiB |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for users in (options.users, 10 * options.users):
        command = [sys.executable, __file__, "--one", f"--users={users}"]
        command += [f"--months={options.months}", f"--seed={options.seed}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        found["speed"] = found["rows"] / found["seconds"]
        found["cpu_speed"] = found["rows"] / found["cpu_seconds"]
        print(ROW.format(**found))


if __name__ == "__main__":
    main()
