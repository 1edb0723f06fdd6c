"""The command line, settings of a home of its own for each test, and homes that several tests share."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from finml.ledger.synthetic import generate
from finml.ledger.writer import open_writer
from finml.settings import Settings, get_settings
from pipelines.cli import main
from tests.oci import base_image, component_image, docker_socket, engine

__all__ = ["base_image", "component_image", "docker_socket", "engine"]


@dataclass
class Outcome:
    """What a command ended with and printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """This FINML_HOME and no other setting; a `.env` of the checkout is out of sight."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(f"FINML_{name.upper()}", raising=False)
        patch.setenv("FINML_HOME", str(home))
        patch.chdir(home.parent)
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


@pytest.fixture
def home(tmp_path):
    """An empty FINML_HOME."""
    with at_home(tmp_path / "home"):
        yield tmp_path / "home"


@pytest.fixture
def settings(home):
    return Settings()


@pytest.fixture
def finml(home, capfd):
    """Runs a command in this process: `finml("models", "list", "--json").document`."""

    def run(*words: str, home: Path | None = None) -> Outcome:
        capfd.readouterr()
        with at_home(home) if home else pytest.MonkeyPatch.context():
            get_settings.cache_clear()
            code = main(list(words))
        return Outcome(code, *capfd.readouterr())

    return run


def write_bank(folder: Path, *, users: int, months: int, seed: int = 7) -> None:
    """Write the ledger of a synthetic bank into a folder."""
    with open_writer(str(folder), origin="synthetic") as writer:
        generate(writer, users=users, months=months, seed=seed)


def shuffle_labels(ledger: Path) -> None:
    """Give each loan of a ledger the outcome of some other one, so that nothing can be learned."""
    file = ledger / "loan_outcomes.parquet"
    outcomes = pd.read_parquet(file)
    outcomes["defaulted"] = outcomes["defaulted"].sample(frac=1, random_state=1).to_numpy()
    outcomes.to_parquet(file, index=False)
