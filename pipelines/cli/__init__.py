"""The `finml` command."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; entry point of the console script.

    Args:
        arguments: the words behind `finml`; by default the process's own.

    Returns:
        What the process ends with: 0 done, 1 the thing itself failed or was rejected, 2 wrong usage.
    """
    from pipelines.cli.app import run_command

    return run_command(arguments)
