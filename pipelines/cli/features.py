"""`finml features`: whether the online features are right, and how fresh."""

from typing import Annotated

import typer

from pipelines.cli.options import JsonOption, LedgerOption
from pipelines.cli.output import console, print_json

features_app = typer.Typer(help="Features in the offline and the online store.", no_args_is_help=True)


@features_app.command()
def verify(
    users: Annotated[int, typer.Option("--users", min=1, help="How many users to compare.")] = 1000,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare online with offline features, bit for bit; each difference is named.

    Ends with 1 where there is one.
    """
    from feature_repo import definitions
    from finml.features.verify import verify as verify_features
    from finml.settings import get_settings

    settings = get_settings().with_ledger(ledger)
    report = verify_features(settings, definitions(settings), users=users, seed=settings.seed)
    if as_json:
        print_json({"equal": report.equal, **report.model_dump(mode="json")})
    else:
        console.print(report.to_markdown(), markup=False, highlight=False)
    if not report.equal:
        raise typer.Exit(1)


@features_app.command()
def freshness(ledger: LedgerOption = None, as_json: JsonOption = False) -> None:
    """Show how old the newest value of each feature view is."""
    from finml.features.materialize import freshness as freshness_of
    from finml.settings import get_settings

    report = freshness_of(get_settings().with_ledger(ledger))
    if as_json:
        print_json(report)
    else:
        console.print(report.to_markdown(), markup=False, highlight=False)
