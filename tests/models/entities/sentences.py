"""Annotated messages for the tests of the model, as users of the synthetic bank type them."""

import json
import random
from datetime import date, timedelta

import pandas as pd

from finml.ledger.synthetic.catalog import MERCHANT_NAMES
from finml.ledger.synthetic.sentences.compose import compose

FIRST_DAY = date(2023, 1, 1)


def messages(number: int, seed: int = 0) -> pd.DataFrame:
    """So many messages and the bank's merchants, as `spine` gives them."""
    chance = random.Random(seed)  # noqa: S311  # sentences, no secret
    typed = [
        compose(chance.randrange(2**53), FIRST_DAY + timedelta(days=place % 540)) for place in range(number)
    ]
    rows = [{"role": "text", "text": one.text, "spans": one.spans, "language": one.language} for one in typed]
    merchants = [{"role": "merchant", "text": name, "spans": "[]"} for name in MERCHANT_NAMES]
    frame = pd.DataFrame([*rows, *merchants])
    return frame.assign(line=range(1, len(frame) + 1))


def line(text: str, *entities: tuple[str, str], **more: object) -> str:
    """A line of annotated JSONL: each entity by its words, which occur in the text once, and its label."""
    spans = [
        {"start": text.index(words), "end": text.index(words) + len(words), "label": label}
        for words, label in entities
    ]
    return json.dumps({"text": text, "spans": spans, **more}, ensure_ascii=False)
