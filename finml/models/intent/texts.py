"""Texts: what may be one, when two are the same, and which part of the data one belongs to."""

import hashlib
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

LEAST_LENGTH = 3
MOST_LENGTH = 512
# control characters that a message may hold
ALLOWED = frozenset("\t\n\r")

Hashes = npt.NDArray[np.uint64]


def fault(text: str) -> str:
    """Why a stripped text of allowed length cannot be read, or nothing."""
    if text.isprintable():
        # nearly every text, and seen at once: no character of these kinds is printable
        return ""
    if any(unicodedata.category(character) == "Cc" and character not in ALLOWED for character in text):
        return "must not hold control characters"
    if any(unicodedata.category(character) == "Cs" for character in text):
        return "must not hold half a surrogate pair"
    return ""


def normalized(text: str) -> str:
    """A text without what two writings of the same message may differ in: case, punctuation, white space.

    A text of punctuation alone stays as it is.
    """
    # casefolding can undo what normalizing did
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(
        " " if unicodedata.category(character).startswith(("P", "Z", "C")) else character
        for character in folded
    )
    return " ".join(bare.split()) or folded.strip()


def hashes(texts: Iterable[str]) -> Hashes:
    """64 bits of each text's normalized form. The same on every machine and in every version."""
    return np.array(
        [
            int.from_bytes(hashlib.blake2b(normalized(text).encode(), digest_size=8).digest(), "big")
            for text in texts
        ],
        dtype=np.uint64,
    )


def chosen(texts: Iterable[str], share: float, *, salt: str = "") -> npt.NDArray[np.bool_]:
    """Which texts fall into a part with about `share` of them. Nothing but the normalized text decides.

    So a text that was held out once is held out always, and one that is written twice is in one part only.

    Args:
        texts: n texts.
        share: between 0 and 1.
        salt: parts with different salts are independent of each other.
    """
    places = hashes(f"{salt} {text}" if salt else text for text in texts)
    return places / 2.0**64 < share
