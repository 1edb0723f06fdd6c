"""Where a command's words go: answers to standard output, everything else to standard error.

While a command works, standard output belongs to its answer alone: what libraries and child processes write
there is sent to standard error, so that `--json` prints one document and nothing else.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

# The answer of a command, for people. Follows `sys.stdout` except while `answers_only` holds.
console = Console(soft_wrap=True)
# Progress, warnings and errors.
messages = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)

WIDE = 1000
"""Columns of a file or pipe, which have none: more than any line needs."""


def print_json(document: object) -> None:
    """Print `document` as the command's one JSON document. Takes plain data and pydantic models."""
    if hasattr(document, "model_dump"):
        document = document.model_dump(mode="json")
    console.file.write(json.dumps(document, indent=2, ensure_ascii=False, default=plain) + "\n")
    console.file.flush()


def plain(value: object) -> object:
    """`value` in words that JSON has: a pydantic model as its fields, anything else as text."""
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)


def print_whole(shown: Table | Tree, *, markup: bool = True) -> None:
    """Print a table or a tree with nothing cut off: folded in a terminal, each row on one line elsewhere."""
    if isinstance(shown, Table):
        for column in shown.columns:
            column.overflow = "fold"
    # a width beyond its own is one that a console does not take for a single print
    wide = console if console.is_terminal else Console(file=console.file, width=WIDE)
    wide.print(shown, markup=markup, highlight=False, soft_wrap=False)


@contextlib.contextmanager
def answers_only() -> Iterator[None]:
    """Keep standard output for `console` and `print_json`; send what else is written there to the other."""
    python_stdout = sys.stdout
    python_stdout.flush()
    try:
        saved = os.dup(1)
    except OSError:
        # whoever started the process closed it, so there is nothing to keep clean
        yield
        return
    with os.fdopen(saved, "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        console.file = answers
        try:
            yield
        finally:
            answers.flush()
            console.file = None  # type: ignore[assignment]  # rich's way to follow sys.stdout again
            sys.stdout = python_stdout
            os.dup2(saved, 1)
