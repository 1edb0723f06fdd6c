"""A virtual environment for each peer, made once and kept below a cache folder."""

import hashlib
import re
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

READY = ".ready"
# what finml's own modules import when they load a model
MODEL_PACKAGES = ("numpy", "pandas", "onnxruntime", "tokenizers", "pydantic-settings", "structlog")


class InstallError(RuntimeError):
    """A peer's packages could not be installed; says why."""


def environment(cache: Path, name: str, packages: Sequence[str]) -> Path:
    """The interpreter of an environment with the packages and what the models need.

    Raises:
        InstallError: pip failed.
    """
    wanted = sorted({*packages, *MODEL_PACKAGES})
    key = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:8]
    folder = cache / f"{name}-{key}"
    python = folder / "bin" / "python"
    if not (folder / READY).exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise InstallError(last[-1])
        (folder / READY).touch()
    return python


def versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """Installed versions of the named packages."""
    names = [re.split(r"[\[<>=!~]", package)[0] for package in packages]
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]), sep='\\n')"
    done = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, check=True)
    return dict(zip(names, done.stdout.split(), strict=True))
