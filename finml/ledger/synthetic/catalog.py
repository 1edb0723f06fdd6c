"""What money is spent on in the synthetic bank, how, and with whom. All names are made up."""

from dataclasses import dataclass

import numpy as np

from finml.ledger.contracts import CATEGORIES, CHANNELS
from finml.ledger.synthetic.draws import Floats, Ints, pick


@dataclass(frozen=True)
class Habit:
    """One purchase that a user makes at most once a month.

    Attributes:
        category: the ledger's category.
        chance: chance that it happens in a month.
        share: share of the month's free spending that goes into it, on average over months.
        channels: how often each channel is used.
    """

    category: str
    chance: float
    share: float
    channels: tuple[tuple[str, float], ...]


_SHOP = (("upi", 0.68), ("card", 0.22), ("cash", 0.1))
_ONLINE = (("upi", 0.6), ("card", 0.4))
_STREET = (("upi", 0.75), ("cash", 0.25))

HABITS = (
    Habit("groceries", 0.95, 0.13, _SHOP),
    Habit("groceries", 0.8, 0.09, _SHOP),
    Habit("groceries", 0.6, 0.06, _STREET),
    Habit("dining", 0.6, 0.07, _SHOP),
    Habit("dining", 0.4, 0.05, _ONLINE),
    Habit("transport", 0.7, 0.06, _STREET),
    Habit("transport", 0.4, 0.05, _ONLINE),
    Habit("shopping", 0.5, 0.13, _ONLINE),
    Habit("shopping", 0.25, 0.08, _SHOP),
    Habit("health", 0.25, 0.05, _SHOP),
    Habit("education", 0.18, 0.05, (("upi", 0.5), ("transfer", 0.5))),
    Habit("entertainment", 0.4, 0.04, _ONLINE),
    Habit("cash", 0.5, 0.08, (("cash", 1.0),)),
    Habit("transfer", 0.35, 0.06, (("upi", 0.7), ("transfer", 0.3))),
)

MERCHANTS: dict[str, tuple[str, ...]] = {
    "salary": (
        "Vindhya Software",
        "Kaveri Steel Works",
        "Sahyadri Hospitals",
        "Narmada Textiles",
        "Tapti Logistics",
    ),
    "other_income": (
        "Dukaan QR settlement",
        "Rasta Rides payout",
        "Turant Delivery payout",
        "Client transfer",
    ),
    "rent": ("House rent", "Griha Rentals"),
    "emi": ("Setu Finance", "Udaan Credit"),
    "groceries": ("Annapurna Kirana", "Sabzi Mandi", "Gokul Dairy", "Taza Basket", "Shree Provision Store"),
    "dining": ("Madras Tiffin Room", "Chaat Gully", "Biryani Ghar", "Chai Adda", "Dosa Junction"),
    "utilities": ("State Electricity Board", "Jal Nigam", "Vaayu Broadband", "Saathi Mobile"),
    "transport": ("Rasta Rides", "Metro Card", "Highway Petroleum", "Safar Bus"),
    "shopping": ("Bazaar Online", "Vastra Sarees", "Electro Duniya", "Jyoti Jewellers", "Ghar Furniture"),
    "health": ("Arogya Pharmacy", "Sanjeevani Clinic", "Jeevan Diagnostics"),
    "education": ("Vidya Mandir School", "Gyan Coaching"),
    "entertainment": ("Chitra Cinemas", "Tarang Music", "Khel Arena"),
    "insurance": ("Suraksha Life", "Kavach General"),
    "investment": ("Lakshya Mutual Fund", "Swarna Bond"),
    "other": ("Pahadi Holidays", "Shubh Mandap Events", "Griha Interiors", "Lucky Khazana", "Videsh Forex"),
}

MERCHANT_NAMES: tuple[str, ...] = tuple(name for names in MERCHANTS.values() for name in names)
_SPAN = {category: (MERCHANT_NAMES.index(names[0]), len(names)) for category, names in MERCHANTS.items()}
NO_MERCHANT = -1

CATEGORY = {name: position for position, name in enumerate(CATEGORIES)}
CHANNEL = {name: position for position, name in enumerate(CHANNELS)}

_FIRST_MERCHANT = np.array([_SPAN.get(name, (NO_MERCHANT, 0))[0] for name in CATEGORIES])
_MERCHANT_COUNT = np.array([_SPAN.get(name, (NO_MERCHANT, 0))[1] for name in CATEGORIES])


def merchants(category: Ints, u: Floats) -> Ints:
    """Merchant of each transaction, as a position in `MERCHANT_NAMES` or `NO_MERCHANT`; `u` is uniform."""
    position: Ints = _FIRST_MERCHANT[category] + pick(u, _MERCHANT_COUNT[category])
    return position
