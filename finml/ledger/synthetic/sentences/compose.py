"""A message: an intent or two, a language, a template filled in and typed."""

from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from types import MappingProxyType

from finml.ledger.contracts import OUT_OF_SCOPE
from finml.ledger.synthetic.sentences import (
    about_accounts,
    about_cards,
    about_loans,
    about_other_things,
    about_payments,
    about_spending,
)
from finml.ledger.synthetic.sentences.chance import Chance
from finml.ledger.synthetic.sentences.grammar import Phrase, Piece, parse, write
from finml.ledger.synthetic.sentences.noise import typed
from finml.ledger.synthetic.sentences.phrases import Phrases
from finml.ledger.synthetic.sentences.slots import LABELS, Scene

PHRASES: Mapping[str, Phrases] = MappingProxyType(
    {
        **about_accounts.PHRASES,
        **about_spending.PHRASES,
        **about_payments.PHRASES,
        **about_loans.PHRASES,
        **about_cards.PHRASES,
        **about_other_things.PHRASES,
    }
)
INTENTS = tuple(PHRASES)
LANGUAGE_SHARES = {"en": 0.62, "hinglish": 0.33, "hi": 0.05}
OUT_OF_SCOPE_SHARE = 0.13
TWO_INTENTS_SHARE = 0.07
PAIRS = (
    ("balance", "transfer_money"),
    ("balance", "bill_pay"),
    ("balance", "transactions_search"),
    ("card_block", "fraud_report"),
    ("card_block", "transactions_search"),
    ("fraud_report", "card_block"),
    ("salary_credit", "balance"),
    ("salary_credit", "savings_goal"),
    ("spend_by_category", "budget_set"),
    ("spend_by_category", "budget_status"),
    ("spend_by_merchant", "card_dispute"),
    ("loan_eligibility", "credit_score"),
    ("credit_score", "loan_eligibility"),
    ("emi_due", "balance"),
    ("emi_due", "loan_status"),
    ("fd_rates", "investment_advice"),
    ("refund_status", "card_dispute"),
    ("kyc_update", "card_limit"),
    ("statement_download", "kyc_update"),
    ("upi_payment", "balance"),
    ("bill_pay", "upi_payment"),
)
"""What people ask for in one breath."""
_JOINTS = {
    "en": (" and ", " and also ", ", also ", ". ", " then ", " & ", ", and "),
    "hinglish": (" aur ", ", aur ", " phir ", " and ", ", ", " aur haan "),
    "hi": (" और ", ", "),
}
_LANGUAGES = tuple(LANGUAGE_SHARES)
_LANGUAGE_EDGES = tuple(accumulate(LANGUAGE_SHARES.values()))[:-1]
_ASKED = tuple(name for name in INTENTS if name != OUT_OF_SCOPE)


@dataclass(frozen=True)
class Message:
    """One message as the ledger holds it.

    Attributes:
        text: what was typed.
        language: its language.
        intents: what it asks for, joined by `|`.
        spans: what it names, as JSON; see `finml.ledger.declaration.Annotation`.
    """

    text: str
    language: str
    intents: str
    spans: str


def compose(seed: int, today: date) -> Message:
    """The message of a seed, typed on a day."""
    chance = Chance(seed)
    language = _LANGUAGES[bisect(_LANGUAGE_EDGES, chance.below(1000) / 1000)]
    intents = _intents(chance)
    scene = Scene(chance, language, today)
    pieces: list[Piece] = []
    for intent in intents:
        if pieces:
            pieces.append(Piece(chance.of(_JOINTS[language])))
        pieces += write(chance.of(templates(intent, language)), chance, scene.fill)
    return _message(typed(pieces, chance, language), language, intents)


@cache
def templates(intent: str, language: str) -> tuple[Phrase, ...]:
    """The templates of an intent in a language."""
    return tuple(parse(line, LABELS) for line in PHRASES[intent].lines(language))


def _intents(chance: Chance) -> tuple[str, ...]:
    if chance.happens(OUT_OF_SCOPE_SHARE):
        return (OUT_OF_SCOPE,)
    if chance.happens(TWO_INTENTS_SHARE):
        return chance.of(PAIRS)
    return (chance.of(_ASKED),)


def _message(pieces: list[Piece], language: str, intents: tuple[str, ...]) -> Message:
    text, spans = "", []
    for words, label in pieces:
        if label is not None:
            spans.append(f'{{"start": {len(text)}, "end": {len(text) + len(words)}, "label": "{label}"}}')
        text += words
    return Message(text, language, "|".join(intents), f"[{', '.join(spans)}]")
