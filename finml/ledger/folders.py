"""Replacing a folder as a whole."""

import shutil
from pathlib import Path
from uuid import uuid4


def swap_folder(new: Path, folder: Path) -> None:
    """Put the folder `new` in the place of `folder`, which may be missing, and remove what was there.

    A reader sees the old folder or the new one, never a mixture. If the process dies between the two renames
    the old folder stays beside, under a name that starts with a dot and ends with `.old`.
    """
    if not folder.exists():
        new.rename(folder)
        return
    old = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.old")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
