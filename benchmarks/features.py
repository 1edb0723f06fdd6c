"""How fast features are built, against a bare scan of the same files, and how much memory that takes.

    python benchmarks/features.py --users 10000 100000 --months 24 --json features.json

For each size a synthetic ledger is written as Parquet, scanned (every value of every column is read) and
built into monthly snapshots of every view. Scan and build run in processes of their own with the same threads
and memory limit, so that each one's peak memory is its own. The ratio says how many bare scans a build costs.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KIB = 1024


def generate(folder: Path, users: int, months: int, seed: int) -> None:
    """Write the ledger."""
    from finml.ledger.synthetic import generate as synthetic
    from finml.ledger.writer import open_writer

    with open_writer(str(folder), "benchmark", replace=True) as writer:
        synthetic(writer, users=users, months=months, seed=seed)


def scan(folder: Path, threads: int, memory_limit: str) -> dict[str, float]:
    """Read every value of every column once."""
    import duckdb

    from finml.ledger.contracts import CONTRACTS

    engine = duckdb.connect(config={"threads": threads, "memory_limit": memory_limit})
    started = time.perf_counter()
    rows = 0
    for table, contract in CONTRACTS.items():
        sums = ", ".join(_whole(column.name, column.kind) for column in contract.columns)
        path = str(folder / f"{table}.parquet")
        query = f"select count(*), {sums} from read_parquet(?)"  # noqa: S608 - columns of the contract
        rows += engine.execute(query, [path]).fetchone()[0]
    return {"ledger_rows": rows, "seconds": time.perf_counter() - started}


def _whole(column: str, kind: str) -> str:
    if kind in ("integer", "real"):
        return f"sum({column})"
    return f"max({column})" if kind in ("timestamp", "flag") else f"sum(length({column}))"


def build(folder: Path, threads: int, memory_limit: str) -> dict[str, float]:
    """Build the features of a ledger that has none yet."""
    from finml.features.build import build as build_features
    from finml.settings import Settings

    with tempfile.TemporaryDirectory(dir=folder.parent) as home:
        settings = Settings(home=Path(home), ledger_url=str(folder))
        started = time.perf_counter()
        report = build_features(folder, settings, threads=threads, memory_limit=memory_limit)
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in settings.workspace.features.rglob("*.parquet"))
    rows = max(report.rows.values())
    return {"feature_rows": rows, "parts": len(report.built), "bytes": size, "seconds": seconds}


def measured(step: str, folder: Path, threads: int, memory_limit: str) -> dict[str, float]:
    """A step in a process of its own, with its peak memory."""
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
    command += ["--threads", str(threads), "--memory-limit", memory_limit]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="2GB", help="DuckDB's, for scan and build alike")
    parser.add_argument("--folder", type=Path, help="where ledgers are written; kept for the next run")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--step", choices=("scan", "build"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step = {"scan": scan, "build": build}[options.step]
        found = step(options.folder, options.threads, options.memory_limit)
        found["cpu_seconds"] = time.process_time()
        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        figures = [_figures(folder, users, options) for users in options.users]
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _figures(folder: Path, users: int, options: argparse.Namespace) -> dict[str, float]:
    ledger = folder / f"ledger-{users}-{options.months}-{options.seed}"
    if not ledger.exists():
        started = time.perf_counter()
        generate(ledger, users, options.months, options.seed)
        print(f"{users} users: generated in {time.perf_counter() - started:.1f} s")
    scanned = min(
        (measured("scan", ledger, options.threads, options.memory_limit) for _ in range(3)),
        key=lambda run: run["seconds"],
    )
    built = measured("build", ledger, options.threads, options.memory_limit)
    rows = scanned["ledger_rows"]
    figures = {
        "users": users,
        "months": options.months,
        "threads": options.threads,
        "ledger_rows": rows,
        "feature_rows": built["feature_rows"],
        "parts": built["parts"],
        "scan_seconds": round(scanned["seconds"], 3),
        "build_seconds": round(built["seconds"], 2),
        "build_cpu_seconds": round(built["cpu_seconds"], 2),
        "scan_rows_per_second": round(rows / scanned["seconds"]),
        "build_ledger_rows_per_second": round(rows / built["seconds"]),
        "build_feature_rows_per_second": round(built["feature_rows"] / built["seconds"]),
        "build_over_scan": round(built["seconds"] / scanned["seconds"], 1),
        "scan_peak_mib": round(scanned["peak_mib"]),
        "build_peak_mib": round(built["peak_mib"]),
        "offline_mib": round(built["bytes"] / KIB / KIB),
    }
    print("\n".join(f"  {name:32}{value:>14,}" for name, value in figures.items()))
    return figures


if __name__ == "__main__":
    main()
