"""An ingestion that dies leaves the last good state, and two at once do not meet."""

import os
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest

from finml.errors import LedgerError
from finml.ledger import warehouse
from finml.ledger.ingest import ingest
from finml.settings import Workspace
from tests.ledger.ledgers import NOW, contents, good_ledger, ordered, transaction, write_parquet

pytestmark = pytest.mark.slow

CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from finml.ledger.ingest import ingest
from finml.settings import Workspace

ledger, root, now = sys.argv[1:]
workspace = Workspace(Path(root), "x")
ingest(ledger, workspace, quarantine_limit=0.0, now=datetime.fromisoformat(now), batch_rows=500)
"""


def kill_when(words: str, ledger: str, workspace: Workspace) -> None:
    """Start an ingestion and kill it as soon as it reports `words`."""
    command = [sys.executable, "-u", "-c", CHILD, ledger, str(workspace.root), NOW.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None
        output = []
        for line in child.stdout:
            output.append(line)
            if words in line:
                os.kill(child.pid, signal.SIGKILL)
                break
        child.stdout.read()
        assert child.wait() == -signal.SIGKILL, "".join(output)


@pytest.mark.parametrize("words", ["batch_staged", "taking_over", "table_taken_over"])
def test_a_killed_ingestion_leaves_the_last_good_state(words: str, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home", "x")
    ledger = good_ledger()
    url = write_parquet(tmp_path / "ledger", ledger)
    ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    before = warehouse.data_hash(workspace)

    ledger["transactions"] += [transaction(40, transaction_id=f"more{n}") for n in range(5000)]
    ledger["transactions"][0] |= {"amount_minor": 7, "updated_at": datetime(2024, 5, 1)}
    write_parquet(tmp_path / "ledger", ledger)
    kill_when(words, url, workspace)
    assert warehouse.data_hash(workspace) == before
    assert contents(workspace) == ordered(good_ledger())

    # the next one begins as if nothing had been, and cleans up
    report = ingest(url, workspace, quarantine_limit=0.0, now=NOW)
    assert (report.table("transactions").new, report.table("transactions").changed) == (5000, 1)
    assert contents(workspace) == ordered(ledger)
    assert not (workspace.root / "staging").exists()


def test_the_first_ingestion_killed_leaves_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home", "x")
    url = write_parquet(tmp_path / "ledger", good_ledger())
    kill_when("taking_over", url, workspace)
    with pytest.raises(LedgerError, match="not ingested yet"):
        warehouse.data_hash(workspace)
    assert ingest(url, workspace, quarantine_limit=0.0, now=NOW).everything


def test_two_ingestions_at_once_take_turns(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home", "x")
    url = write_parquet(tmp_path / "ledger", good_ledger())
    reports = []

    def run() -> None:
        reports.append(ingest(url, workspace, quarantine_limit=0.0, now=NOW))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.everything for report in reports) == [False, True]
    assert contents(workspace) == ordered(good_ledger())


def test_a_second_ingestion_does_not_wait_for_ever(tmp_path: Path) -> None:
    import filelock

    workspace = Workspace(tmp_path / "home", "x")
    url = write_parquet(tmp_path / "ledger", good_ledger())
    workspace.root.mkdir(parents=True)
    with (
        filelock.FileLock(workspace.root / "ingest.lock"),
        pytest.raises(LedgerError, match="is running") as caught,
    ):
        ingest(url, workspace, quarantine_limit=0.0, now=NOW, wait_s=0.01)
    assert "wait" in caught.value.hint
