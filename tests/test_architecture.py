"""The arrows of the tree: who may import whom."""

import subprocess
import sys
from itertools import permutations
from pathlib import Path

import grimp

from finml.models.base import model_names

ROOT = Path(__file__).parents[1]


def test_arrows_go_one_way():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_model_imports_another():
    graph = grimp.build_graph("finml", cache_dir=None)
    for one, other in permutations(model_names(), 2):
        chain = graph.find_shortest_chain(f"finml.models.{one}", f"finml.models.{other}", as_packages=True)
        assert chain is None, " → ".join(chain)


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from pipelines.cli import app; "
        "heavy = {'kfp', 'feast', 'xgboost', 'mlflow', 'pandera', 'pandas', 'ibis', 'sklearn', 'bentoml'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
