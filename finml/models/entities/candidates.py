"""Everything that may be an entity, and which of it stays where candidates overlap."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from finml.models.entities.amounts import Amount, Percentage
from finml.models.entities.dates import Dated
from finml.models.entities.identifiers import Identified

Reading = Amount | Percentage | Dated | Identified


@dataclass(frozen=True, slots=True)
class Candidate:
    """A part of a text that may be an entity.

    Attributes:
        start: offset in characters.
        end: offset of the first character after it.
        label: its type.
        rule: name of the rule that found it, or `None` for the model.
        reading: what the rule read, from which its value is made.
    """

    start: int
    end: int
    label: str
    rule: str | None = None
    reading: Reading | None = None

    @property
    def name(self) -> str:
        """What found it, in words."""
        return f"the rule {self.rule}" if self.rule else "the model"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a candidate.

    Attributes:
        candidate: the candidate.
        lost_to: what it gave way to, if anything.
        unproven: whether it is an identifier of the model's that no rule confirms.
    """

    candidate: Candidate
    lost_to: Candidate | None = None
    unproven: bool = False

    @property
    def kept(self) -> bool:
        """Whether it is in the answer."""
        return self.lost_to is None and not self.unproven


PRIORITY = (
    "the model's, where it holds whole what a rule of the next line finds, of its type: `card no 4111 …`",
    "by rule: identifiers, percentages, amounts, dates in figures, and dates that hold one of the model's",
    "the model's: it knows from its training texts where an entity begins and ends",
    "by rule: all other dates, and merchants by their name in the catalogue",
)
"""What wins where candidates overlap, first to last. Of equals the longer wins, then the one further left,
then the type that comes first among the labels, then the rule's name."""
_CERTAIN_RULES = frozenset(
    {
        "upi_address",
        "ifsc",
        "pan",
        "card_number",
        "card_ending",
        "account_number",
        "percentage",
        "amount",
        "iso_date",
        "numeric_date",
        "month_and_year",
        "financial_year",
    }
)

PROVEN = frozenset({"UPI", "IFSC", "PAN"})
"""Types whose every entity has passed the check of a rule."""


def resolve(candidates: Iterable[Candidate], labels: Sequence[str]) -> list[Decision]:
    """Decide about every candidate, so that no two that stay overlap. The order they come in means nothing.

    Args:
        candidates: what was found.
        labels: all types, in the order that decides between equals.

    Returns:
        One decision a candidate, from left to right.
    """
    found = list(candidates)
    guesses = [one for one in found if one.rule is None]
    certain = [one for one in found if one.rule and _is_certain(one, guesses)]

    def rank(one: Candidate) -> int:
        if one.rule is None:
            touched = [other for other in certain if _overlap(one, other)]
            return 0 if touched and all(_holds(one, other) for other in touched) else 2
        return 1 if one in certain else 3

    kept: list[Candidate] = []
    decisions = []
    for one in sorted(
        found,
        key=lambda one: (rank(one), one.start - one.end, one.start, labels.index(one.label), one.rule or ""),
    ):
        winner = next((other for other in kept if _overlap(one, other)), None)
        unproven = one.rule is None and one.label in PROVEN and rank(one) != 0
        if winner is None and not unproven:
            kept.append(one)
        decisions.append(Decision(one, winner, unproven))
    return sorted(decisions, key=lambda made: (made.candidate.start, made.candidate.end, not made.kept))


def _is_certain(one: Candidate, guesses: Sequence[Candidate]) -> bool:
    """Whether what a rule found goes before the model's guesses, as `5th Aug` does before `5th`."""
    if one.rule in _CERTAIN_RULES or one.label != "DATE":
        return one.rule in _CERTAIN_RULES
    return any(_holds(one, other) and not _holds(other, one) for other in guesses)


def _holds(one: Candidate, other: Candidate) -> bool:
    return one.label == other.label and one.start <= other.start and other.end <= one.end


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.start < other.end and other.start < one.end
