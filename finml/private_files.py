"""Files and folders that only their owner may read; what is written is there as a whole or not at all."""

import contextlib
import os
from pathlib import Path
from uuid import uuid4


def private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing; those that are there stay as they are.

    Raises:
        OSError: it cannot be made.
    """
    # `mkdir(parents=True, mode=…)` gives the mode to the last one alone
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def private_file(path: Path) -> None:
    """Make an empty file where none is, before a library opens it that would let others read it.

    Raises:
        OSError: it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file beside its place, then put it there.

    Args:
        path: its place; the folder is made where it is missing.
        content: what it holds.
        replace: whether it takes the place of a file that is there. Otherwise that one stays, so that of
            several processes that write at once the first decides.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
