import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import finml
from finml.registry.provenance import Lineage, library_versions
from finml.settings import Settings

SCRIPT = "import json; from finml.registry.provenance import git_state; print(json.dumps(git_state()))"


@pytest.fixture
def package(tmp_path):
    """A copy of the library outside of any checkout."""
    source = Path(finml.__file__).parent
    shutil.copytree(source, tmp_path / "finml", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def git_state_of(package: Path, **environment) -> tuple[str, bool]:
    # the copy's coverage is nobody's concern
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=package,
        env={**inherited, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(json.loads(done.stdout))


def git(package: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=package, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_an_installed_package_has_no_commit(package):
    assert git_state_of(package) == ("", False)


def test_a_machine_without_git_has_no_commit(package):
    assert git_state_of(package, PATH=str(package)) == ("", False)


def test_the_commit_of_a_checkout_and_whether_it_is_clean(package):
    git(package, "init", "-q")
    (package / "README.md").write_text("some other project")
    git(package, "add", "README.md")
    git(package, "commit", "-q", "-m", "first")
    assert git_state_of(package) == ("", False)  # the library lies in it, but is not of it
    git(package, "add", ".")
    git(package, "commit", "-q", "-m", "second")
    assert git_state_of(package) == (git(package, "rev-parse", "HEAD"), False)
    (package / "README.md").write_text("changed")
    assert git_state_of(package) == (git(package, "rev-parse", "HEAD"), True)


def test_a_lineage_says_where_and_with_what(tmp_path):
    settings = Settings(home=tmp_path, ledger_url=str(tmp_path / "bank"), seed=11)
    lineage = Lineage.collect(settings, data_hash="abc", feature_service="credit_risk_v1")
    assert lineage.seed == 11
    assert lineage.ledger_id == settings.workspace.ledger_id
    assert lineage.project == settings.workspace.project
    assert lineage.python == ".".join(map(str, sys.version_info[:3]))
    assert lineage.libraries == library_versions()
    assert {"finml", "numpy", "mlflow"} <= lineage.libraries.keys()
    assert Lineage.collect(settings, data_hash="abc", seed=12).seed == 12


def test_tags_hold_texts_only_and_leave_out_what_is_not_known():
    lineage = Lineage(data_hash="abc", ledger_id="l", project="p", seed=0, python="3.11.9")
    assert lineage.as_tags() == {
        "finml.data_hash": "abc",
        "finml.ledger_id": "l",
        "finml.project": "p",
        "finml.seed": "0",
        "finml.python": "3.11.9",
    }
    assert lineage.model_copy(update={"git_dirty": True}).as_mapping()["git_dirty"] == "true"
