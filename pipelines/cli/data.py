"""`finml data`: fill a ledger with a synthetic bank or with public data."""

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.convert import convert
from pipelines.cli.options import JsonOption, LedgerOption
from pipelines.cli.output import console, messages, print_json

data_app = typer.Typer(help="Fill a ledger with a synthetic bank or with public data.", no_args_is_help=True)
data_app.command("convert")(convert)


class Dataset(StrEnum):
    """Public data sets that can become a ledger."""

    TAIWAN = "taiwan"
    BERKA = "berka"


@data_app.command()
def generate(
    *,
    users: Annotated[int, typer.Option("--users", min=1, help="Customers of the bank.")],
    months: Annotated[int, typer.Option("--months", min=1, help="Months of history.")],
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Equal seeds make equal banks. By default FINML_SEED.")
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--end", formats=["%Y-%m-%d"], help="Last day. By default the first is 2023-01-01."),
    ] = None,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a synthetic Indian bank: salaries, rent, UPI, EMIs, festivals, missed payments and their causes.

    Replaces an earlier ledger that finml wrote, and nothing else.
    """
    from finml.ledger.synthetic import generate as generate_bank
    from finml.ledger.writer import open_writer
    from finml.settings import get_settings

    settings = get_settings().with_ledger(ledger)
    with open_writer(settings.ledger, origin="synthetic", replace=True) as writer:
        generate_bank(
            writer,
            users=users,
            months=months,
            seed=settings.seed if seed is None else seed,
            end=end.date() if end else None,
            progress=lambda done, total: messages.print(f"{done:,} of {total:,} users"),
        )
    show_rows(settings.ledger, writer.rows, as_json)


@data_app.command("import")
def import_(
    *,
    dataset: Annotated[Dataset, typer.Argument(help="Which data set.")],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with its files.", exists=True, file_okay=False)
    ],
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn public data into a ledger.

    Replaces an earlier ledger that finml wrote, and nothing else.
    """
    from finml.ledger.importers.berka import import_berka
    from finml.ledger.importers.taiwan import import_taiwan
    from finml.ledger.writer import open_writer
    from finml.settings import get_settings

    settings = get_settings().with_ledger(ledger)
    importer = {Dataset.TAIWAN: import_taiwan, Dataset.BERKA: import_berka}[dataset]
    with open_writer(settings.ledger, origin=dataset.value, replace=True) as writer:
        importer(folder, writer)
    show_rows(settings.ledger, writer.rows, as_json)


@data_app.command()
def quarantine(
    table: Annotated[str | None, typer.Option("--table", help="Only rows of this table.")] = None,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the rows that ingestion refused, each with its reasons.

    `--json` prints the rows as they were delivered: they may hold personal data.
    """
    from finml.ledger.warehouse import quarantine as read_quarantine
    from finml.settings import get_settings

    rows = read_quarantine(get_settings().with_ledger(ledger).workspace, table)
    if as_json:
        print_json({"rows": json.loads(rows.to_json(orient="records", date_format="iso"))})
        return
    for row in rows.itertuples():
        console.print(
            f"{row.table_name} {row.row_key or '(no key)'}: {'; '.join(row.reasons)}",
            markup=False,
            highlight=False,
        )
    console.print(f"{len(rows):,} rows in quarantine", highlight=False)


def show_rows(ledger: str, rows: dict[str, int], as_json: bool) -> None:
    """Say what was written."""
    from finml.urls import public_url

    if as_json:
        print_json({"ledger": public_url(ledger), "rows": rows})
        return
    for table, count in rows.items():
        console.print(f"{table:<15} {count:>12,} rows", highlight=False)
    console.print(f"written to {public_url(ledger)}", highlight=False)
