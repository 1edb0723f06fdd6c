"""Personal data and secrets are found and masked before anything is logged.

What goes is shown by its kind (`<email>`, `<card>`), so that a log still says what happened. Amounts, dates,
intents and the opaque ids that join logs stay. What is masked, what is not, and why: `docs/privacy.md`.
"""

import types
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_json

from finml.privacy.numbers import mask_numbers
from finml.privacy.quotes import mask_quotes, masked_spans
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


def _mask_id(text: str) -> str:
    return mask_addresses(mask_secrets(text))


# a megabyte or two of memory, which the texts passed through anyway
_mask_short = lru_cache(maxsize=8192)(_mask_any)
_mask_short_id = lru_cache(maxsize=8192)(_mask_id)


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
        return _mask_id(value)
    return mask(value, keys)


def masked_json(value: BaseModel, said: str = "") -> bytes:
    """`mask_model` as JSON text; where nothing is to be masked, in a fraction of its time.

    Args:
        value: an input or an output of a model.
        said: the text that an output may quote.
    """
    return to_json(value if is_harmless(value) else mask_model(value, said))


def is_harmless(value: BaseModel) -> bool:
    """Whether it is seen at a glance, in a microsecond, that `mask_model` would change nothing.

    Args:
        value: validated by its class: fields that are declared to hold numbers, or one of certain words, are
            not looked at.
    """
    fields = value.__dict__
    return all(check(fields.get(name)) for name, check in _checks(type(value)))


@lru_cache(maxsize=256)
def _checks(model: type[BaseModel]) -> tuple[tuple[str, Callable[[Any], bool]], ...]:
    """Fields of a class that may hold something personal, by what is declared of them; what looks at each."""
    own_words = getattr(model, "own_words", False)
    return tuple(
        (name, _check_of(_plain(name), own_words=own_words))
        for name, field in model.model_fields.items()
        if _plain(name) in PERSONAL_KEYS
        or any(_is_doubtful(kind, own_words=own_words) for kind in _kinds(field.annotation))
    )


def _check_of(key: str, *, own_words: bool) -> Callable[[Any], bool]:
    """Says of values with the name `key` whether it is seen at a glance that they stay as they are."""
    if key in PERSONAL_KEYS:
        return lambda item: item is None
    mask_short = _mask_short_id if key.endswith("_id") else _mask_short

    def check(item: Any) -> bool:  # noqa: ANN401  # any field's value
        kind = type(item)
        if kind is str:
            return len(item) <= SHORT and mask_short(item) == item
        if item is None or own_words or kind in NUMBERS:
            return True
        return kind is dict and NUMBERS.issuperset(map(type, item.values())) and _harmless_names(*item)

    return check


def _kinds(annotation: object) -> list[object]:
    """What a field may hold: the alternatives of its annotation."""
    match get_origin(annotation):
        case typing.Annotated:
            return _kinds(get_args(annotation)[0])
        case typing.Union | types.UnionType:
            return [kind for part in get_args(annotation) for kind in _kinds(part)]
    return [annotation]


def _is_doubtful(kind: object, *, own_words: bool) -> bool:
    if isinstance(kind, type) and (kind in NUMBERS or (own_words and issubclass(kind, BaseModel))):
        return False
    if get_origin(kind) is typing.Literal:
        return any(mask(word) != word for word in get_args(kind))
    return not (own_words and get_origin(kind) in (list, dict))


@lru_cache(maxsize=512)
def _harmless_names(*names: str) -> bool:
    return all(mask_text(name) == name and _plain(name) not in PERSONAL_KEYS for name in names)


def mask_model(value: BaseModel | Mapping[str, Any], said: str = "") -> dict[str, Any]:
    """Inputs or outputs of a model as plain JSON data, fit for the inference log.

    Texts are masked inside, values of personal keys go whole, amounts and all other numbers stay. Where a
    class says by `own_words` that what it nests is in the model's words alone, only its own fields are looked
    at. Else what quotes a part of `said` that is masked is masked with it, though it looks harmless alone.
    """
    fields = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    if getattr(value, "own_words", False):
        return {
            key: mask_value(key, item, PERSONAL_KEYS) if isinstance(item, str) else item
            for key, item in fields.items()
        }
    if said and (masked := mask_text(said)) != said:
        fields = mask_quotes(fields, masked_spans(said, masked))
    return {key: mask_value(key, item, PERSONAL_KEYS) for key, item in fields.items()}
