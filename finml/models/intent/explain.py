"""The words of a text, and a text without one of them."""

import re
import unicodedata
from dataclasses import dataclass

MOST_WORDS = 24
"""Words that are looked at: each costs a pass through the encoder."""
MOST_CHARACTERS = 3000
"""Characters of all these passes: of a long text fewer words are looked at, so that requests end in time."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its characters' places in the text, and what it adds to the answer."""

    word: str
    start: int
    end: int
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """The words of a text in its order, and whether it has more of them."""

    words: list[Word]
    capped: bool


@dataclass(frozen=True)
class Words:
    """A text cut into words.

    Attributes:
        text: the text.
        spans: first and last place of each word, without the punctuation around it.
        capped: whether there are more words.
    """

    text: str
    spans: list[tuple[int, int]]
    capped: bool

    def without(self, place: int) -> str:
        """The text less one word."""
        start, end = self.spans[place]
        return " ".join((self.text[:start] + self.text[end:]).split())


def words_of(text: str) -> Words:
    """The first words of a text: what stands between white space, without punctuation around it.

    At most `MOST_WORDS`, fewer of a long text. What is punctuation alone is no word.
    """
    most = min(MOST_WORDS, max(1, MOST_CHARACTERS // max(1, len(text))))
    spans = []
    for found in re.finditer(r"\S+", text):
        start, end = found.span()
        while start < end and _is_punctuation(text[start]):
            start += 1
        while end > start and _is_punctuation(text[end - 1]):
            end -= 1
        if start < end:
            spans.append((start, end))
    return Words(text, spans[:most], len(spans) > most)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")
