"""Anomalies of documented kinds, put into a table of card payments that has none labelled.

amount_spike        a payment of a card that is 10 to 40 times what it usually pays in the category
burst               4 to 8 payments of a card within an hour, each of a usual amount
new_merchant_large  a payment of 5 to 15 times the card's usual amount, to a merchant and in a category that
                    the card never used
duplicate           a payment to the same merchant of the same amount, 1 to 30 minutes after the first
recurring_off       of a payment that recurs about monthly: 2 to 5 times the amount, or 8 to 14 days early
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

LEAST_PAYMENTS = 30
"""A card needs a history before anything can be unusual for it."""
WARM_UP = 0.3
"""Share of a card's payments, from the first on, that stay as they are."""

Rows = list[dict[str, object]]


def inject(payments: pd.DataFrame, each: int, seed: int) -> pd.DataFrame:
    """The payments with anomalies among them, ordered by time.

    Args:
        payments: `user_id`, `occurred_at`, `amount`, `category`, `merchant`, `direction`.
        each: rows of each kind, about: a burst ends beyond it, and few payments recur.
        seed: of every choice.

    Returns:
        The columns of `payments`, `anomalous` and `anomaly_kind`.
    """
    random = np.random.default_rng(seed)
    table = payments.assign(anomalous=False, anomaly_kind=None).sort_values(
        ["occurred_at", "user_id", "merchant", "amount"], ignore_index=True
    )
    debits = table[table["direction"] == "debit"]
    busy = debits.groupby("user_id").filter(lambda card: len(card) >= LEAST_PAYMENTS)
    place = busy.groupby("user_id").cumcount() / busy.groupby("user_id")["amount"].transform("size")
    late = busy[place > WARM_UP]
    added: Rows = []
    for kind, make in ADDED.items():
        while sum(row["anomaly_kind"] == kind for row in added) < each:
            chosen = late.iloc[int(random.integers(len(late)))]
            card = busy[busy["user_id"] == chosen["user_id"]]
            made = make(chosen, card, late, random)
            added += [chosen.to_dict() | row | {"anomalous": True, "anomaly_kind": kind} for row in made]
    table = _recurring_off(table, late, each, random)
    together = pd.concat([table, pd.DataFrame(added)], ignore_index=True)
    together["anomalous"] = together["anomalous"].astype(bool)
    return together.sort_values("occurred_at", kind="stable", ignore_index=True)


def _amount_spike(
    chosen: pd.Series, card: pd.DataFrame, late: pd.DataFrame, random: np.random.Generator
) -> Rows:
    usual = card.loc[card["category"] == chosen["category"], "amount"].median()
    amount = round(float(usual * random.uniform(10, 40)), 2)
    return [{"amount": amount, "occurred_at": _later(chosen, random, 1, 3 * 86_400)}]


def _burst(chosen: pd.Series, card: pd.DataFrame, late: pd.DataFrame, random: np.random.Generator) -> Rows:
    start = _later(chosen, random, 3_600, 86_400)
    count = int(random.integers(4, 9))
    offsets = np.sort(random.integers(0, 3_000, count))
    like = card.sample(count, replace=True, random_state=random)
    return [
        {
            "occurred_at": start + pd.Timedelta(seconds=int(offset)),
            "amount": round(float(other["amount"] * random.uniform(0.7, 1.4)) + 0.01, 2),
            "category": other["category"],
            "merchant": other["merchant"],
        }
        for offset, (_, other) in zip(offsets, like.iterrows(), strict=True)
    ]


def _new_merchant_large(
    chosen: pd.Series, card: pd.DataFrame, late: pd.DataFrame, random: np.random.Generator
) -> Rows:
    strange = late[~late["category"].isin(card["category"]) & ~late["merchant"].isin(card["merchant"])]
    if strange.empty:
        return []
    other = strange.iloc[int(random.integers(len(strange)))]
    return [
        {
            "amount": round(float(card["amount"].median() * random.uniform(5, 15)), 2),
            "category": other["category"],
            "merchant": other["merchant"],
            "occurred_at": _later(chosen, random, 3_600, 86_400),
        }
    ]


def _duplicate(
    chosen: pd.Series, card: pd.DataFrame, late: pd.DataFrame, random: np.random.Generator
) -> Rows:
    return [{"occurred_at": _later(chosen, random, 60, 1_800)}]


def _recurring_off(
    table: pd.DataFrame, late: pd.DataFrame, each: int, random: np.random.Generator
) -> pd.DataFrame:
    """Payments that recur, changed in place: amount or day."""
    ordered = late.sort_values("occurred_at", kind="stable")
    groups = ordered.groupby(["user_id", "merchant"])["occurred_at"]
    gap = groups.diff().dt.total_seconds() / 86_400
    by = [ordered["user_id"], ordered["merchant"]]
    usual = gap.groupby(by).transform("median")
    spread = (gap - usual).abs().groupby(by).transform("median")
    regular = usual.between(20, 40) & (spread <= 0.15 * usual) & (groups.cumcount() >= 3)
    places = ordered.index[regular & ((gap - usual).abs() <= 5)].to_numpy()
    changed = random.permutation(places)[:each]
    table = table.copy()
    for number, place in enumerate(changed):
        if number % 2:
            early = pd.Timedelta(seconds=int(random.uniform(8, 14) * 86_400))
            table.loc[place, "occurred_at"] -= early
        else:
            table.loc[place, "amount"] = round(float(table.loc[place, "amount"] * random.uniform(2, 5)), 2)
    table.loc[changed, "anomalous"] = True
    table.loc[changed, "anomaly_kind"] = "recurring_off"
    return table


def _later(chosen: pd.Series, random: np.random.Generator, least: int, most: int) -> pd.Timestamp:
    moment: pd.Timestamp = chosen["occurred_at"] + pd.Timedelta(seconds=int(random.integers(least, most)))
    return moment


ADDED: Mapping[str, Callable[[pd.Series, pd.DataFrame, pd.DataFrame, np.random.Generator], Rows]] = {
    "amount_spike": _amount_spike,
    "burst": _burst,
    "new_merchant_large": _new_merchant_large,
    "duplicate": _duplicate,
}
