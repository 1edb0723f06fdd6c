"""`finml keys`: the API keys that callers of the service show."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.options import JsonOption
from pipelines.cli.output import console, messages, print_json, print_whole

if TYPE_CHECKING:
    from finml.access.key_store import KeyStore
    from finml.access.keys import KeyRecord, NewKey

keys_app = typer.Typer(help="API keys of the HTTP service.", no_args_is_help=True)

KeyIdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the key, see `finml keys list`.")]


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who uses the key, for people.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            metavar="MODEL:ACTION",
            help="What it is for; either part may be *; can be repeated. "
            "Actions: predict, explain, feedback, feedback-all, read; * is all but feedback-all.",
        ),
    ],
    *,
    rate_per_s: Annotated[
        float | None,
        typer.Option("--rate-per-s", min=0.001, help="Requests a second. By default FINML_RATE_PER_S."),
    ] = None,
    rate_burst: Annotated[
        int | None, typer.Option("--rate-burst", min=1, help="Requests at once. By default FINML_RATE_BURST.")
    ] = None,
    daily_quota: Annotated[
        int | None, typer.Option("--daily-quota", min=1, help="Inputs a day. By default FINML_DAILY_QUOTA.")
    ] = None,
    expires_in_days: Annotated[
        int | None,
        typer.Option(
            "--expires-in-days", min=1, max=36_500, help="Days that it is taken. By default, always."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it, once: only a hash of it is kept."""
    from finml.access.scopes import ANY, Scopes
    from finml.errors import UnknownModelError
    from finml.models.base import model_names

    Scopes.of(scope)
    # a scope for a model that is misspelt would let nobody in
    unknown = sorted({text.partition(":")[0] for text in scope}.difference([ANY, *model_names()]))
    if unknown:
        raise UnknownModelError(
            f"no model is called {unknown[0]!r}", hint=f"models: {', '.join(model_names())}, or *"
        )
    made = store().create(
        name,
        scope,
        rate_per_s=rate_per_s,
        rate_burst=rate_burst,
        daily_quota=daily_quota,
        expires_in=timedelta(days=expires_in_days) if expires_in_days else None,
    )
    show(made, as_json)


@keys_app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List the keys, without what makes them valid."""
    from rich.table import Table

    records = store().records()
    if as_json:
        print_json({"keys": [described(record) for record in records]})
        return
    table = Table("id", "name", "state", "scopes", "created", "expires", box=None, pad_edge=False)
    for record in records:
        shown = described(record)
        expires = day(record.expires) if record.expires else "never"
        scopes = " ".join(record.scopes)
        table.add_row(record.id, record.name, shown["state"], scopes, day(record.created), expires)
    print_whole(table, markup=False)


@keys_app.command()
def revoke(key_id: KeyIdArgument, as_json: JsonOption = False) -> None:
    """End a key for good. Servers refuse it within two seconds."""
    record = store().revoke(key_id)
    if as_json:
        print_json(described(record))
    else:
        console.print(f"{record.id} is revoked", markup=False, highlight=False)


@keys_app.command()
def rotate(
    key_id: KeyIdArgument,
    grace_minutes: Annotated[
        int,
        typer.Option(
            "--grace-minutes", min=0, max=525_600, help="How long the old secret is taken beside the new one."
        ),
    ] = 60,
    as_json: JsonOption = False,
) -> None:
    """Give a key a new secret and show it, once; the old one is taken for a while."""
    show(store().rotate(key_id, timedelta(minutes=grace_minutes)), as_json)


def store() -> "KeyStore":
    """The keys of the configured file."""
    from finml.access.key_store import KeyStore
    from finml.settings import get_settings

    return KeyStore(get_settings())


def show(made: "NewKey", as_json: bool) -> None:
    """Print a new key, alone on standard output so that it can be piped."""
    if as_json:
        print_json({**described(made.record), "key": made.text})
        return
    console.print(made.text, markup=False, highlight=False)
    messages.print(f"key {made.record.id}; it is shown only now. Send it as X-API-Key.")


def described(record: "KeyRecord") -> dict[str, Any]:
    """A key without its hashes."""
    hidden = {"hash", "previous_hash"}
    return {"state": record.state(datetime.now(UTC)), **record.model_dump(mode="json", exclude=hidden)}


def day(moment: datetime) -> str:
    """A moment's day."""
    return moment.date().isoformat()
