"""Personal data and secrets are found and masked before anything is logged.

What goes is shown by its kind (`<email>`, `<card>`), so that a log still says what happened. Amounts, dates,
intents and the opaque ids that join logs stay. What is masked, what is not, and why: `docs/privacy.md`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from finml.privacy.numbers import mask_numbers
from finml.privacy.words import mask_addresses, mask_secrets

# Keys whose values say who somebody is, or let somebody in. They go whole, whatever they hold.
PERSONAL_KEYS: Mapping[str, str] = {
    **dict.fromkeys(("name", "full_name", "first_name", "last_name"), "<name>"),
    **dict.fromkeys(("email", "email_address"), "<email>"),
    **dict.fromkeys(("phone", "phone_number", "mobile"), "<phone>"),
    **dict.fromkeys(("card", "card_number"), "<card>"),
    **dict.fromkeys(("account_number", "iban"), "<account>"),
    **dict.fromkeys(("token", "password", "secret", "api_key", "x_api_key", "authorization"), "<secret>"),
    "address": "<address>",
    "aadhaar": "<aadhaar>",
    "birth_date": "<birth_date>",
    "pan": "<pan>",
    "upi_id": "<upi>",
}
# Nothing needs the words of a customer in an operational log; the inference log keeps them, masked inside.
LOGGED_KEYS: Mapping[str, str] = {**PERSONAL_KEYS, "text": "<text>"}


NUMBERS = frozenset({float, int, bool, type(None)})
SHORT = 128
"""Characters of a text that is worth remembering: names, words, reasons come again and again."""


def mask_text(text: str) -> str:
    """`text` with personal data and secrets in it replaced by their kinds."""
    return _mask_short(text) if len(text) <= SHORT else _mask_any(text)


def _mask_any(text: str) -> str:
    return mask_numbers(mask_addresses(mask_secrets(text)))


# a megabyte or two of memory, which the texts passed through anyway
_mask_short = lru_cache(maxsize=8192)(_mask_any)


@lru_cache(maxsize=4096)
def _plain(key: str) -> str:
    return key.lower().replace("-", "_")


def mask(value: object, keys: Mapping[str, str] = LOGGED_KEYS) -> Any:  # noqa: ANN401  # what came in, masked
    """`value` with personal data masked at any depth of mappings and sequences; numbers and dates stay.

    Args:
        value: anything that is logged.
        keys: names in lower case whose values go whole, with what takes their place. Values of other names
            that end in `_id` keep their digits: they are opaque and join logs.
    """
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {
            # a name can be a person's too, as where amounts are told by payee; most of what models take is
            # numbers, which stay unless their name is a personal one
            mask_text(key): item
            if type(item) in NUMBERS and _plain(key) not in keys
            else mask_value(key, item, keys)
            for key, item in ((str(key), item) for key, item in value.items())
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(item, keys) for item in value]
    return value


def mask_value(key: str, value: object, keys: Mapping[str, str] = LOGGED_KEYS) -> Any:  # noqa: ANN401
    """`value`, which has the name `key`, as `mask` leaves it."""
    key = _plain(key)
    whole = keys.get(key)
    if whole is not None:
        return value if value is None else whole
    if isinstance(value, str) and key.endswith("_id"):
        return mask_addresses(mask_secrets(value))
    return mask(value, keys)


def masked_json(value: BaseModel) -> bytes:
    """`mask_model` as JSON text; where nothing is to be masked, in a fraction of its time."""
    return to_json(value if _is_harmless(value) else mask_model(value))


def _is_harmless(value: BaseModel) -> bool:
    """Whether it is seen at a glance that `mask_model` would change nothing."""
    own_words = getattr(value, "own_words", False)
    for name, item in value.__dict__.items():
        kind = type(item)
        if kind is str:
            harmless = mask_value(name, item, PERSONAL_KEYS) == item
        elif own_words or item is None:
            harmless = True
        elif kind in NUMBERS:
            harmless = _plain(name) not in PERSONAL_KEYS
        else:
            harmless = kind is dict and NUMBERS.issuperset(map(type, item.values()))
            harmless = harmless and _harmless_names(name, *item)
        if not harmless:
            return False
    return True


@lru_cache(maxsize=512)
def _harmless_names(*names: str) -> bool:
    return all(mask_text(name) == name and _plain(name) not in PERSONAL_KEYS for name in names)


def mask_model(value: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
    """Inputs or outputs of a model as plain JSON data, fit for the inference log.

    Texts are masked inside, values of personal keys go whole, amounts and all other numbers stay. Where a
    class says by `own_words` that what it nests is in the model's words alone, only its own fields are looked
    at.
    """
    fields = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    if getattr(value, "own_words", False):
        return {
            key: mask_value(key, item, PERSONAL_KEYS) if isinstance(item, str) else item
            for key, item in fields.items()
        }
    return {key: mask_value(key, item, PERSONAL_KEYS) for key, item in fields.items()}
