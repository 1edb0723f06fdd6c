"""Made-up messages with their intents: enough of each to learn from, few enough to train in seconds."""

import itertools

import numpy as np
import pandas as pd

OPENERS = (
    "",
    "please, ",
    "hi, ",
    "can you help: ",
    "one question: ",
    "hello, ",
    "I need this done: ",
    "quick: ",
)
GRAMMAR: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "balance": (
        ("what is the balance of", "how much money is in", "show the balance of", "what do I have left in"),
        (
            "my savings account",
            "my salary account",
            "the joint account",
            "my wallet",
            "our pension account",
            "the deposit",
        ),
    ),
    "card_block": (
        ("block", "freeze", "I lost, please stop", "someone stole"),
        (
            "my debit card",
            "the card ending 4821",
            "my credit card",
            "the new card",
            "my lost card",
            "the virtual card",
        ),
    ),
    "transfer": (
        ("send 500 rupees to", "transfer 2 lakh to", "pay 20k to", "move Rs 900 to"),
        ("Priya", "my landlord", "Rahul", "my brother", "the plumber", "Asha"),
    ),
    "budget": (
        ("set a budget for", "limit my spending on", "warn me if I spend too much on", "cap the budget of"),
        ("groceries", "fuel", "dining out", "travel", "clothes", "rent"),
    ),
}
OUT_OF_SCOPE = (
    ("what is the weather in", "tell me a joke about", "who won the match in", "how do I cook"),
    ("Mumbai", "cricket", "biryani", "the moon", "Delhi", "elephants"),
)


def composed(parts: tuple[tuple[str, ...], tuple[str, ...]]) -> list[str]:
    """Every sentence of a grammar."""
    return [f"{opener}{verb} {thing}" for opener, verb, thing in itertools.product(OPENERS, *parts)]


def messages(number: int = 192, *, outside: int = 192) -> pd.DataFrame:
    """`number` texts of each of four intents, and `outside` that are out of scope; there are 192 of each."""
    random = np.random.default_rng(1)
    rows = [
        (text, intent)
        for intent, parts in [*GRAMMAR.items(), ("oos", OUT_OF_SCOPE)]
        for text in random.permutation(composed(parts))[: outside if intent == "oos" else number]
    ]
    return pd.DataFrame(rows, columns=["text", "intent"])


def double_messages(number: int = 60) -> pd.DataFrame:
    """Texts of which every third asks for two things."""
    single = messages(number, outside=0)
    first, second = single.iloc[::3].reset_index(drop=True), single.iloc[::-3].reset_index(drop=True)
    both = pd.DataFrame(
        {
            "text": first["text"] + " and then " + second["text"],
            "intent": first["intent"] + "|" + second["intent"],
        }
    )
    return pd.concat([single, both[first["intent"] != second["intent"]]], ignore_index=True)
