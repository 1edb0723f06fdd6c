"""The manifest of a model folder: each file with its SHA-256, so that what is served is what was trained."""

import hashlib
import json
from pathlib import Path

from finml.errors import IntegrityError

MANIFEST = "manifest.json"
FORMAT = 1


def write_manifest(folder: Path) -> str:
    """Write `manifest.json` into a model folder and return its own SHA-256.

    Raises:
        IntegrityError: the folder is empty, or holds something that is not a plain file.
    """
    beside = folder / f".{MANIFEST}.new"
    beside.unlink(missing_ok=True)
    document = {"format": FORMAT, "files": hash_files(folder)}
    if not document["files"]:
        raise IntegrityError(f"{folder} holds no files", hint="train the model again")
    content = (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
    beside.write_bytes(content)
    beside.replace(folder / MANIFEST)
    return hashlib.sha256(content).hexdigest()


def check_manifest(folder: Path, expected: str | None = None) -> str:
    """Compare a model folder with its manifest and return the manifest's SHA-256.

    Args:
        folder: the model folder.
        expected: the manifest's SHA-256 as recorded elsewhere, or `None` to trust the manifest itself.

    Raises:
        IntegrityError: the manifest or a file is missing, was changed or added; the message names it.
    """
    hint = "fetch the model again; if it happens again, train and register it anew"
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise IntegrityError(f"{folder} has no {MANIFEST}", hint=hint) from None
    digest = hashlib.sha256(content).hexdigest()
    if expected is not None and digest != expected:
        raise IntegrityError(
            f"{folder / MANIFEST} has SHA-256 {digest}, {expected} was recorded for it", hint=hint
        )
    try:
        recorded = dict(json.loads(content)["files"])
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(f"{folder / MANIFEST} is not a manifest", hint=hint) from None
    found = hash_files(folder)
    wrong = [f"{name} is missing" for name in recorded if name not in found]
    wrong += [f"{name} was changed" for name in recorded if found.get(name, recorded[name]) != recorded[name]]
    wrong += [f"{name} was added" for name in found if name not in recorded]
    if wrong:
        raise IntegrityError(f"{folder} differs from its manifest: {'; '.join(sorted(wrong))}", hint=hint)
    return digest


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` but the manifest, by relative path, sorted.

    Raises:
        IntegrityError: something below is neither a folder nor a plain file, as a link is.
    """
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise IntegrityError(f"{path} is not a plain file", hint="a model folder holds plain files only")
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
