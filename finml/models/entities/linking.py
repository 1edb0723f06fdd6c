"""From a merchant as typed to one of the ledger's merchants."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from finml.errors import DataError
from finml.models.entities.pieces import WORD

# as far apart as `Amazn` and `Amazon`, but not as `Uber` and `Ubar Cafe`
LEAST_SCORE = 0.8
# of a merchant that is called by the first words of its name
SHORT_FORM_SCORE = 0.9
LEAST_SHORT_FORM = 4
# shorter names are words of other senses too often to be found without the recogniser
LEAST_NAMED = 4
MOST_WORDS = 5
MOST_MERCHANTS = 200_000
_POSSESSIVE = ("'s", "\N{RIGHT SINGLE QUOTATION MARK}s")
_WORDS = re.compile(f"[{WORD}]+")


@dataclass(frozen=True, slots=True)
class Link:
    """The nearest merchant, `None` where none reaches the least score, and the nearest's score."""

    merchant: str | None
    score: float


class Catalogue:
    """The merchants of a ledger.

    Attributes:
        names: distinct names, sorted.
    """

    def __init__(self, names: Iterable[str], *, least_score: float = LEAST_SCORE) -> None:
        self.names: Sequence[str] = sorted(set(names))
        self.least_score = least_score
        if len(self.names) > MOST_MERCHANTS:
            raise DataError(
                f"the catalogue has {len(self.names):,} merchants, at most {MOST_MERCHANTS:,} are searched",
                hint="leave out the merchants that were paid only once",
            )
        self._keys = [key(name) for name in self.names]
        self._joined = [found.replace(" ", "") for found in self._keys]
        self._exact = dict(zip(self._keys, self.names, strict=True))
        self._short = _short_forms(self._exact)
        # texts of one batch name the same merchants again and again
        self.link = lru_cache(maxsize=4096)(self._link)

    def named(self, text: str) -> list[tuple[int, int]]:
        """Offsets of the merchants that a text names as the catalogue does, but for case, in order."""
        words = [match.span() for match in _WORDS.finditer(text)]
        found: list[tuple[int, int]] = []
        place = 0
        while place < len(words):
            # the longest name that begins here
            for last in range(min(place + MOST_WORDS, len(words)) - 1, place - 1, -1):
                start, end = words[place][0], words[last][1]
                name, possessive = key(text[start:end]), text[start:end].lower().endswith(_POSSESSIVE)
                if len(name) >= LEAST_NAMED and name in self._exact and not possessive:
                    found.append((start, end))
                    place = last
                    break
            place += 1
        return found

    def _link(self, typed: str) -> Link:
        """The merchant that a text means. Equal scores go to the first name in order."""
        from rapidfuzz import fuzz, process

        wanted = key(typed)
        if wanted in self._exact:
            return Link(self._exact[wanted], 1.0)
        if not wanted or not self._keys:
            return Link(None, 0.0)
        if wanted in self._short:
            return Link(self._short[wanted], SHORT_FORM_SCORE)
        # the same letters in order, however they are spaced; or the same words in another order
        _, percent, place = max(
            process.extractOne(wanted.replace(" ", ""), self._joined, scorer=fuzz.ratio),
            process.extractOne(wanted, self._keys, scorer=fuzz.token_sort_ratio),
            key=lambda found: found[1],
        )
        score = round(percent / 100, 4)
        return Link(self.names[place] if score >= self.least_score else None, score)


def _short_forms(exact: Mapping[str, str]) -> dict[str, str]:
    """First words that only one merchant's name begins with, as `apollo` for Apollo Pharmacy."""
    owners: dict[str, set[str]] = {}
    for found, name in exact.items():
        words = found.split()
        for number in range(1, len(words)):
            owners.setdefault(" ".join(words[:number]), set()).add(name)
    return {
        short: next(iter(names))
        for short, names in owners.items()
        if len(names) == 1 and len(short) >= LEAST_SHORT_FORM
    }


def key(name: str) -> str:
    """A name as names are compared: letters and digits, lower case, single blanks, without a final `'s`."""
    folded = name.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").removesuffix("'s")
    return " ".join("".join(one if one.isalnum() else " " for one in folded).split())
