"""A made-up message: what the quick start, the load tests and the docs send."""

import random
from typing import Any

_NAMES = ("Rahul", "Priya", "Ayesha", "Karthik", "mom", "Sneha Iyer")
_SHOPS = ("Biryani Ghar", "Bazaar Online", "Taza Basket", "Rasta Rides", "Metro Card", "Arogya Pharmacy")
_AMOUNTS = ("₹500", "Rs 1,200", "1.5 lakh", "20k", "INR 75,000", "5 hazaar", "₹2,499.50")
_PAST = ("last month", "yesterday", "this week", "in the past 3 months", "pichle mahine", "since Monday")
_COMING = ("tomorrow", "on 5th June", "next month", "by Friday", "15 tareekh ko")
_TEXTS = (
    "how much did I spend at {shop} {past}",
    "send {amount} to {name} {coming}",
    "{name} ko {amount} bhejo",
    "pay my credit card bill of {amount} {coming}",
    "upi {amount} to {name_lower}@okaxis",
    "block my card ending {digits}",
    "can I get a loan of {amount} at 8.5%",
    "where is the refund of {amount} from {shop}",
)


def message(rng: random.Random) -> dict[str, Any]:
    """A message as a user of a banking app might type it."""
    name = rng.choice(_NAMES)
    text = rng.choice(_TEXTS).format(
        shop=rng.choice(_SHOPS),
        amount=rng.choice(_AMOUNTS),
        name=name,
        name_lower=name.split()[0].lower(),
        past=rng.choice(_PAST),
        coming=rng.choice(_COMING),
        digits=rng.randrange(1000, 10000),
    )
    return {"text": text, "now": "2026-05-20T12:00:00+05:30", "time_zone": "Asia/Kolkata", "currency": "INR"}
