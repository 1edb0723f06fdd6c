"""Tables and trees are printed whole, in a terminal and elsewhere."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from pipelines.cli import output

LONG = " ".join(f"word{number}" for number in range(60)) + " " + "f" * 200


@pytest.fixture(params=["terminal", "pipe"])
def written(request, monkeypatch):
    """What is printed at 80 columns; a pipe has no width of its own, rich takes this for it."""
    to = io.StringIO()
    terminal = request.param == "terminal"
    console = Console(file=to, width=80, soft_wrap=True, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(output, "console", console)
    return to, terminal


def table() -> Table:
    made = Table("model", "why")
    made.add_row("credit_risk", LONG)
    return made


def tree() -> Tree:
    made = Tree("credit_risk@1")
    made.add(LONG)
    return made


@pytest.mark.parametrize("make", [table, tree])
def test_nothing_is_cut_off(written, make):
    to, terminal = written
    output.print_whole(make())
    text = to.getvalue()
    letters = "".join(letter for letter in text if letter.isalnum())
    assert "".join(letter for letter in LONG if letter.isalnum()) in letters.replace("creditrisk", "")
    assert "…" not in text
    if terminal:
        assert max(map(len, text.splitlines())) <= 80
    else:
        assert LONG in text
