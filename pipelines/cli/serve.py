"""`finml serve`: the last packaged Bento over HTTP."""

from typing import Annotated

import typer

from pipelines.cli.output import messages


def serve(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port.")] = 3000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that share the requests.")] = 1,
    bento: Annotated[
        str | None, typer.Option("--bento", metavar="TAG", help="Another Bento than the newest.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for callers on other machines.")
    ] = "127.0.0.1",
    everybody: Annotated[
        bool, typer.Option("--open", help="Answer everybody, without keys; as FINML_AUTH=open.")
    ] = False,
) -> None:
    """Serve the approved models until interrupted.

    Callers send an API key, which `finml keys create` makes, as X-API-Key. /docs shows the interface.
    """
    from bentos.server import serve as serve_bento
    from finml.settings import get_settings

    settings = get_settings()
    if everybody:
        settings = settings.model_copy(update={"auth": "open"})

    def announce(url: str) -> None:
        messages.print(f"{url} is ready, with its interface under /docs; Ctrl+C ends it")

    messages.print("loading the models")
    if serve_bento(settings, port, host=host, tag=bento, workers=workers, announce=announce):
        raise typer.Exit(1)
