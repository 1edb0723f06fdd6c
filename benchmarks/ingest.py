"""Rows a second of an ingestion, against a bare copy of the same Parquet files into DuckDB.

    python benchmarks/ingest.py --transactions 2000000

Prints one JSON document. Each measurement is a process of its own, so its peak memory is its own. The second
ingestion finds nothing new: it is what a nightly run costs on a quiet day.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

START = np.datetime64("2023-01-01", "us")
STEPS = ("copy", "first", "second", "export")


def write_ledger(folder: Path, transactions: int) -> None:
    """A ledger of random but valid users, accounts and transactions."""
    from finml.ledger.contracts import CATEGORIES
    from finml.ledger.writer import open_writer

    users = max(transactions // 500, 1)
    rng = np.random.default_rng(7)
    born = pa.array(np.full(users, START))
    owners = pa.array([f"user-{i:08d}" for i in range(users)])
    with open_writer(str(folder), origin="benchmark") as writer:
        times = {"known_at": born, "updated_at": born}
        inr = pa.array(["INR"] * users)
        writer.write("users", pa.table({"user_id": owners, "created_at": born, "currency": inr, **times}))
        accounts = {"account_id": pa.array([f"account-{i:08d}" for i in range(users)]), "user_id": owners}
        kinds = pa.array(["savings"] * users)
        writer.write(
            "accounts", pa.table({**accounts, "kind": kinds, "opened_at": born, "currency": inr, **times})
        )
        for first in range(0, transactions, 200_000):
            size = min(200_000, transactions - first)
            when = pa.array(START + (1 + np.arange(first, first + size)) * np.timedelta64(10, "s"))
            rows = {
                "transaction_id": [f"transaction-{i:012d}" for i in range(first, first + size)],
                "account_id": accounts["account_id"].take(pa.array(rng.integers(0, users, size))),
                "occurred_at": when,
                "direction": pa.array(["debit", "credit"]).take(pa.array(rng.integers(0, 2, size))),
                "amount_minor": rng.integers(1, 1_000_000, size),
                "category": pa.array(CATEGORIES).take(pa.array(rng.integers(0, len(CATEGORIES), size))),
                "merchant": pa.array([f"merchant {i}" for i in range(999)]).take(
                    pa.array(rng.integers(0, 999, size))
                ),
                "balance_after_minor": rng.integers(-1_000_000, 10_000_000, size),
                "known_at": when,
                "updated_at": when,
            }
            writer.write("transactions", pa.table(rows))


def run_step(step: str, folder: Path) -> None:
    """Run one measurement in this process and print its figures."""
    from finml.ledger.ingest import ingest
    from finml.ledger.warehouse import export
    from finml.settings import Workspace

    ledger = folder / "ledger"
    workspace = Workspace.of(folder / "home", str(ledger))
    import duckdb

    started = time.perf_counter()
    if step == "copy":
        with duckdb.connect(folder / "copy.duckdb") as connection:
            for file in sorted(ledger.glob("*.parquet")):
                source = connection.read_parquet(str(file))
                source.create(file.stem)
    elif step == "export":
        export(workspace, folder / "tables")
    else:
        ingest(str(ledger), workspace, quarantine_limit=0.0)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": round(seconds, 3), "peak_mib": peak}))


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transactions", type=int, default=2_000_000)
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        run_step(arguments.step, arguments.folder)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        # the progress of writing belongs to standard error
        sys.stderr.write(f"writing {arguments.transactions:,} transactions\n")
        command = [sys.executable, __file__, "--folder", str(folder)]
        write_ledger(folder / "ledger", arguments.transactions)
        figures = {}
        for step in STEPS:
            sys.stderr.write(f"{step}\n")
            output = subprocess.run(
                [*command, "--step", step], check=True, capture_output=True, text=True
            ).stdout
            figures[step] = json.loads(output.splitlines()[-1])
        rows = arguments.transactions + 2 * max(arguments.transactions // 500, 1)
        first, copy = figures["first"]["seconds"], figures["copy"]["seconds"]
        summary = {
            "rows": rows,
            "rows_per_s": round(rows / first),
            "times_a_bare_copy": round(first / copy, 2),
        }
        print(json.dumps({**summary, **figures}, indent=2))


if __name__ == "__main__":
    main()
