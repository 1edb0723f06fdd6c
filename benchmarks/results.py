"""What the benchmarks of the models measured, kept as JSON, and the table that `docs/models.md` shows of it.

python -m benchmarks.results        # writes docs/models.md from benchmarks/results/*.json
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from finml.models.base import model_names

FOLDER = Path(__file__).with_name("results")
PAGE = Path(__file__).parents[1] / "docs" / "models.md"
HEAD = """# Models

What each model is measured on, by which figure, and against what. Baselines were measured in the same run on
the same rows unless the note says otherwise; intervals are 95 %. The rows that figures are measured on were
never trained on. Each model's page says how to make its figures anew; `python -m benchmarks.results` writes
this page from what the benchmarks left in `benchmarks/results/`.

"""


class Row(BaseModel):
    """One figure of one model on one data set.

    Attributes:
        data: the data set and the part of it that was held out.
        baseline: the plain alternative's figure, or `None` where there is none.
        low, high: ends of the figure's 95 % interval, or `None`.
        gate: the gate's rule on this figure, empty where it has none.
        speed: how fast the model answers, and on how many threads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    data: str
    metric: str
    baseline_name: str | None = None
    baseline: float | None = None
    figure: float
    low: float | None = None
    high: float | None = None
    gate: str | None = ""
    speed: str | None = ""
    note: str | None = ""


def write(model: str, rows: Sequence[Row]) -> Path:
    """Keep the rows of one model, in place of those of an earlier run."""
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{model}.json"
    rows_json = [row.model_dump(exclude_defaults=True) for row in rows]
    file.write_text(json.dumps(rows_json, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def read() -> list[Row]:
    """All rows that are kept, sorted by model."""
    return [
        Row.model_validate(row)
        for file in (FOLDER / f"{name}.json" for name in model_names())
        if file.exists()
        for row in json.loads(file.read_text(encoding="utf-8"))
    ]


def page(rows: Sequence[Row]) -> str:
    """`docs/models.md`: one table a model."""
    parts = [HEAD]
    for name in sorted({row.model for row in rows}):
        own = [row for row in rows if row.model == name]
        parts.append(f"## [{name}](models/{name}.md)\n\n")
        parts.append("| data | metric | baseline | figure | 95 % interval | gate | speed |\n")
        parts.append("|---|---|---|--:|---|---|---|\n")
        parts += [line(row) for row in own]
        notes = list(dict.fromkeys(row.note for row in own if row.note))
        parts += ["\n", *(f"- {note}\n" for note in notes), "\n" if notes else ""]
    return "".join(parts).rstrip() + "\n"


def line(row: Row) -> str:
    """One row of the table."""
    baseline = row.baseline_name or ""
    if row.baseline is not None:
        baseline = f"{baseline}: {number(row.baseline)}"
    interval = "" if row.low is None or row.high is None else f"{number(row.low)} to {number(row.high)}"
    cells: list[Any] = [
        row.data,
        row.metric,
        baseline,
        number(row.figure),
        interval,
        row.gate,
        row.speed,
    ]
    return "| " + " | ".join(str(cell or "").replace("|", "\\|") for cell in cells) + " |\n"


def number(value: float) -> str:
    """A figure with as many digits as can be meant."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.4f}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(read()), encoding="utf-8")
    print(f"{PAGE} has {len(read())} figures")


if __name__ == "__main__":
    main()
