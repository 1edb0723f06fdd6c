"""How typing departs from the template: greetings, endings, case, abbreviations, slips of the finger.

Slips fall outside the marked parts, so a name that is marked is the name that was meant.
"""

from finml.ledger.synthetic.sentences.chance import Chance
from finml.ledger.synthetic.sentences.grammar import Piece

OPENER_SHARE, CLOSER_SHARE, MARK_SHARE = 0.16, 0.14, 0.42
LOWER_SHARE, UPPER_SHARE, TITLE_SHARE = 0.42, 0.03, 0.4
SHORT_SHARE, SLIP_SHARE = 0.15, 0.13
_KEEP_CASE = {"UPI", "IFSC", "PAN"}
"""Labels of identifiers that people copy rather than type."""

_OPENERS = {
    "en": ("hi,", "hello,", "hey", "hey,", "please", "pls", "quick question:", "good morning,", "sir,",
        "ok so",
           "excuse me,", "um", "hi team,"),
    "hinglish": ("bhai", "yaar", "hello,", "sir", "ji,", "please", "accha", "arre", "hi,", "sir ji,", "zara"),
    "hi": ("नमस्ते,", "कृपया", "भाई,", "जी,", "सुनिए,"),
}  # fmt: skip
_CLOSERS = {
    "en": ("please", "pls", "thanks", "thank you", "asap", "now", "for me", "urgently", "if possible", "thx"),
    "hinglish": ("please", "na", "jaldi", "bhai", "yaar", "ji", "abhi", "turant", "pls", "sir"),
    "hi": ("कृपया", "जी", "जल्दी", "अभी", "धन्यवाद"),
}
_MARKS = {
    "en": ("?", "?", ".", "!", "??", "..", "!!"),
    "hinglish": ("?", "?", ".", "!", "..."),
    "hi": ("?", "।"),
}
_SHORT = {
    "you": "u", "your": "ur", "are": "r", "please": "plz", "what is": "wat is", "much": "mch",
    "account": "acc", "transaction": "txn", "transactions": "txns", "transfer": "trnsfr", "because": "bcoz",
    "tomorrow": "tmrw", "what's": "wats", "message": "msg", "amount": "amt", "payment": "pymt", "and": "n",
    "hai": "h", "nahi": "nhi", "kitna": "ktna", "karna": "krna", "mujhe": "mje",
    "kya": "kia", "paise": "paisa", "bhejo": "bhjo", "mein": "m", "karo": "kro", "kar do": "krdo",
}  # fmt: skip


def typed(pieces: list[Piece], chance: Chance, language: str) -> list[Piece]:
    """The pieces as somebody types them in a hurry, or not."""
    pieces = _greeted(pieces, chance, language)
    if language == "hi":
        return pieces
    if chance.happens(SHORT_SHARE):
        pieces = [
            Piece(_shortened(text), label) if label is None else Piece(text, label) for text, label in pieces
        ]
    if chance.happens(SLIP_SHARE):
        pieces = _slipped(pieces, chance)
    return _cased(pieces, chance)


def _greeted(pieces: list[Piece], chance: Chance, language: str) -> list[Piece]:
    if chance.happens(OPENER_SHARE):
        pieces = [Piece(chance.of(_OPENERS[language]) + " "), *pieces]
    if chance.happens(CLOSER_SHARE):
        pieces = [*pieces, Piece(" " + chance.of(_CLOSERS[language]))]
    if chance.happens(MARK_SHARE):
        pieces = [*pieces, Piece(chance.of(_MARKS[language]))]
    return pieces


def _shortened(text: str) -> str:
    return "".join(_SHORT.get(word, word) for word in _split(text))


def _split(text: str) -> list[str]:
    """Words and the spaces between them."""
    words: list[str] = []
    for place, word in enumerate(text.split(" ")):
        if place:
            words.append(" ")
        words.append(word)
    return words


def _slipped(pieces: list[Piece], chance: Chance) -> list[Piece]:
    """One letter swapped with the next, left out or doubled, in a longer plain word."""
    place = chance.below(len(pieces))
    text, label = pieces[place]
    words = _split(text)
    longer = [position for position, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if label is not None or not longer:
        return pieces
    position = chance.of(longer)
    word, at = words[position], chance.between(1, len(words[position]) - 2)
    slips = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
    )
    words[position] = chance.of(slips)
    return [*pieces[:place], Piece("".join(words)), *pieces[place + 1 :]]


def _cased(pieces: list[Piece], chance: Chance) -> list[Piece]:
    """All small, all capital, a capital first letter, or as it came."""
    how = chance.of(range(1000)) / 1000
    if how < LOWER_SHARE:
        return [Piece(text if label in _KEEP_CASE else text.lower(), label) for text, label in pieces]
    if how < LOWER_SHARE + UPPER_SHARE:
        return [Piece(text if label in _KEEP_CASE else text.upper(), label) for text, label in pieces]
    if how < LOWER_SHARE + UPPER_SHARE + TITLE_SHARE and pieces[0].label is None:
        return [Piece(pieces[0].text[:1].upper() + pieces[0].text[1:]), *pieces[1:]]
    return pieces
