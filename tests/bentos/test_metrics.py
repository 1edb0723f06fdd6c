"""Figures of several processes: those that ended say nothing of the present."""

import os
import subprocess
import sys

from bentos.metrics import forget_dead


def test_the_gauges_of_processes_that_died_are_forgotten(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        for kind in ("gauge_livesum", "counter"):
            (tmp_path / f"{kind}_{pid}.db").touch()
    forget_dead(tmp_path)
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {
        f"gauge_livesum_{os.getpid()}.db",
        f"counter_{os.getpid()}.db",
        f"counter_{ended.pid}.db",
    }
