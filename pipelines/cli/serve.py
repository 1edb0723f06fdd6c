"""`finml serve`: the last packaged Bento over HTTP."""

from typing import Annotated

import typer

from pipelines.cli.output import messages


def serve(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that share the requests.")] = 1,
    bento: Annotated[
        str | None, typer.Option("--bento", metavar="TAG", help="Another Bento than the newest.")
    ] = None,
) -> None:
    """Serve the approved models until interrupted.

    They answer on http://127.0.0.1:PORT, and /docs there shows the API.
    """
    from bentos.server import serve as serve_bento
    from finml.settings import get_settings

    messages.print(f"http://127.0.0.1:{port}, with its API under /docs; Ctrl+C ends it")
    if serve_bento(get_settings(), port, tag=bento, workers=workers):
        raise typer.Exit(1)
