"""Texts: which characters one may hold, and when two are the same."""

import hashlib
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

# control characters that a message box lets through
ALLOWED = frozenset("\t\n\r")
CONTROL = "must not hold control characters"

Hashes = npt.NDArray[np.uint64]


def has_control(text: str) -> bool:
    """Whether a text holds control characters other than tabs and line breaks."""
    return any(unicodedata.category(one) == "Cc" and one not in ALLOWED for one in text)


def normalized(text: str) -> str:
    """A text without what two writings of it may differ in: case, punctuation and blanks.

    A text of punctuation alone stays as it is.
    """
    kept = "".join(one if one.isalnum() or unicodedata.category(one) in {"Mn", "Mc"} else " " for one in text)
    return " ".join(unicodedata.normalize("NFC", kept).casefold().split()) or text.strip()


def hashes(texts: Iterable[str], salt: str = "") -> Hashes:
    """64 bits of each text's normalized form, the same on every machine. Other salts give other bits."""
    digests = [
        hashlib.sha256((salt + normalized(text)).encode("utf-8", "replace")).digest() for text in texts
    ]
    return np.array([int.from_bytes(digest[:8]) for digest in digests], dtype=np.uint64)
