"""`finml evaluate`: a registered version on data that it has never seen."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finml.errors import UsageError
from pipelines.cli.options import DataOption, JsonOption, LedgerOption, OutOfScopeOption, companions
from pipelines.cli.output import messages, print_json, print_whole

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from finml.models.base import Evaluation, Model
    from finml.registry.versions import Version
    from finml.settings import Settings

# short enough for a table of 80 columns
GROUP_COLUMNS = {
    "n": "n",
    "selection_rate": "selected",
    "false_negative_rate": "fn rate",
    "false_positive_rate": "fp rate",
    "disparate_impact": "impact",
    "auc": "auc",
}


def evaluate(
    version: Annotated[
        str, typer.Argument(metavar="MODEL@VERSION", help="As in credit_risk@7, credit_risk@champion.")
    ],
    ledger: LedgerOption = None,
    data: DataOption = None,
    out_of_scope: OutOfScopeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a version on data that it has never seen.

    Takes a ledger, the configured one where nothing is given, or a labelled file. A ledger is ingested into a
    workspace of its own, and all its labelled rows count; of the ledger that the version was trained on, only
    those that were held out.
    """
    from finml.models.base import get_model
    from finml.models.labelled_files import read_labelled
    from finml.registry.delivery import fetch
    from finml.registry.versions import resolve
    from finml.settings import get_settings

    if out_of_scope and data is None:
        raise UsageError("--out-of-scope goes with --data", hint="name the labelled file by --data FILE")
    if ledger is not None and data is not None:
        raise UsageError("--ledger and --data exclude each other", hint="give one of them")
    settings = get_settings()
    found = resolve(settings, version)
    model = get_model(found.name)
    with tempfile.TemporaryDirectory() as folder:
        # a model may read more of its files when it is measured, so they stay until then
        predictor = model.load(fetch(settings, found, Path(folder) / found.name))
        if data:
            rows = read_labelled(model, data, companions(out_of_scope))
        else:
            rows = rows_of_ledger(model, found, settings.with_ledger(ledger))
        evaluation = model.evaluate(predictor, rows, champion=None, seed=settings.seed)
    if as_json:
        print_json(document(found, evaluation))
    else:
        show(found, evaluation)


def rows_of_ledger(model: "Model", version: "Version", settings: "Settings") -> "pd.DataFrame":
    """Labelled rows of a ledger with their features, by the same steps as in the pipelines.

    Of the ledger that the version was trained on, only the part that no training sees.
    """
    from components.rows import labelled_rows
    from feature_repo import definitions
    from finml.features.build import build
    from finml.features.store import apply
    from finml.ledger.ingest import ingest
    from finml.ledger.warehouse import export

    workspace = settings.workspace
    ingest(settings.ledger, workspace, quarantine_limit=settings.quarantine_limit)
    with tempfile.TemporaryDirectory() as folder:
        tables = Path(folder) / "tables"
        build(tables, settings, data_hash=export(workspace, tables))
        repo = definitions(settings)
        apply(settings, repo)
        rows = labelled_rows(model, tables, settings, repo)
    if workspace.ledger_id == version.ledger_id:
        messages.print(f"{version.spec} was trained on this ledger: only the rows that were held out count")
        return model.split(rows)[1]
    return rows


def document(version: "Version", evaluation: "Evaluation") -> dict[str, Any]:
    """An evaluation as one flat document: figures by name, their intervals, and the groups."""
    groups: dict[str, dict[str, Any]] = {}
    for row in evaluation.groups:
        groups.setdefault(row.attribute, {})[row.group] = row.model_dump(exclude={"attribute", "group"})
    return {
        "model": version.name,
        "version": version.spec,
        **{name: int(value) if value.is_integer() else value for name, value in evaluation.scalars.items()},
        **{name: interval.value for name, interval in evaluation.metrics.items()},
        "intervals": {name: [interval.low, interval.high] for name, interval in evaluation.metrics.items()},
        "groups": groups,
        "breakdown": evaluation.breakdown,
    }


def show(version: "Version", evaluation: "Evaluation") -> None:
    """Print figures and groups for people."""
    figures = plain_table(f"{version.spec} on new data", ["figure", "value", "95 % interval"])
    for name, interval in evaluation.metrics.items():
        figures.add_row(name, f"{interval.value:.4f}", f"{interval.low:.4f} to {interval.high:.4f}")
    for name, value in evaluation.scalars.items():
        figures.add_row(name, f"{value:,.6g}", "")
    print_whole(figures)
    for what, parts in evaluation.breakdown.items():
        names = list(dict.fromkeys(name for figures in parts.values() for name in figures))
        table = plain_table(f"by {what}", [what, *names])
        for part, found in parts.items():
            table.add_row(part, *(written(found.get(name)) for name in names))
        print_whole(table)
    if not evaluation.groups:
        return
    groups = plain_table("by group", ["attribute", "group", *GROUP_COLUMNS.values()])
    for row in evaluation.groups:
        groups.add_row(row.attribute, row.group, *(cell(getattr(row, name)) for name in GROUP_COLUMNS))
    print_whole(groups)


def written(value: float | None) -> str:
    """A figure of a part: whole numbers as such, `-` where there is none."""
    return cell(int(value) if value is not None and value.is_integer() else value)


def plain_table(title: str, columns: list[str]) -> "Table":
    """A table without a frame, which leaves room for names."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*columns, title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)


def cell(value: float | None) -> str:
    """A figure as text."""
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
