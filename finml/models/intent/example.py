"""Made-up messages: what the quick start, the load tests and the docs ask about."""

import random
from typing import Any

OPENERS = ("", "", "Hi, ", "Hello, ", "Quick question: ", "Please help, ")
ASKED = (
    "how much did I spend on {category} {period}?",
    "what is the balance of my {account}?",
    "send {amount} to {person}",
    "my card ending {card} is lost, block it",
    "when is my next EMI due?",
    "set a budget of {amount} for {category}",
    "mera {category} ka kharcha {period} kitna tha?",
    "why was I charged {amount} at {merchant}?",
    "has my salary been credited {period}?",
    "can I get a loan of {amount}?",
)
WORDS = {
    "category": ("groceries", "fuel", "dining", "rent", "travel"),
    "period": ("last month", "this week", "in March", "yesterday", "since Diwali"),
    "account": ("savings account", "salary account", "credit card"),
    "amount": ("₹500", "Rs 12,000", "1.5 lakh", "20k", "₹2,499.50"),
    "person": ("Priya", "Rahul", "my landlord", "Mum"),
    "card": ("4821", "0093", "7750"),
    "merchant": ("Big Bazaar", "Biryani Ghar", "Indian Oil", "Amazon"),
}


def message(rng: random.Random) -> dict[str, Any]:
    """A message that a user might write."""
    chosen = {name: rng.choice(words) for name, words in WORDS.items()}
    return {"text": (rng.choice(OPENERS) + rng.choice(ASKED).format(**chosen))}
