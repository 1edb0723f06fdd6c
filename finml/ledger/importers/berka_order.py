"""The order of the Berka bank's transactions within a day.

The files give a date and no time, and list a day's transactions in no order; but each carries the balance
after it. The order in which every balance follows from the one before is the day's order, and only in it is
the last balance of a day the last one.
"""

from itertools import pairwise

import numpy as np

from finml.ledger.importers.reading import Int64s


def order_within_days(account: Int64s, day: Int64s, signed: Int64s, balance: Int64s) -> Int64s:
    """Position of each transaction within its account's day, from 0.

    Args:
        account: number of the account.
        day: number of the day.
        signed: amount, minor units, negative for money out.
        balance: balance after the transaction, minor units.

    Returns:
        One position a transaction, in the order of the arguments. Where balances do not fit together the
        nearest one follows, and the file's order decides between equals.
    """
    position = np.zeros(len(account), np.int64)
    order = np.lexsort((np.arange(len(account)), day, account))
    new_day = np.ones(len(order), bool)
    new_day[1:] = (account[order][1:] != account[order][:-1]) | (day[order][1:] != day[order][:-1])
    starts = np.append(np.flatnonzero(new_day), len(order))
    before = balance - signed

    last_account, last_balance = None, 0
    for start, end in pairwise(starts.tolist()):
        rows = order[start:end].tolist()
        if account[rows[0]] != last_account:
            last_account, last_balance = account[rows[0]], 0
        for place in range(len(rows)):
            following = (
                min(rows, key=lambda row: abs(int(before[row]) - last_balance)) if len(rows) > 1 else rows[0]
            )
            rows.remove(following)
            position[following] = place
            last_balance = int(balance[following])
    return position
