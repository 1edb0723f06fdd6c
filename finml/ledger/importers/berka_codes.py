"""What the Berka bank's codes mean.

`trans.asc` has Czech codes, the `feup_trans_*.csv` files English words for the same. Both are brought to the
English words and then to the ledger's categories and channels. A code that the data set's description does
not list becomes `other`.
"""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "PRIJEM": "credit",
        "VYDAJ": "withdrawal",
        "VKLAD": "credit in cash",
        "VYBER": "withdrawal in cash",
        "VYBER KARTOU": "credit card withdrawal",
        "PREVOD NA UCET": "remittance to another bank",
        "PREVOD Z UCTU": "collection from another bank",
        "UROK": "interest credited",
        "SANKC. UROK": "sanction interest if negative balance",
        "SLUZBY": "payment for statement",
        "POJISTNE": "insurrance payment",
        "SIPO": "household",
        "UVER": "loan payment",
        "DUCHOD": "old-age pension",
        "LEASING": "leasing",
    }
)

DIRECTIONS: Mapping[str, str] = MappingProxyType(
    # Some cash withdrawals carry the operation's code in place of the type's.
    {"credit": "credit", "withdrawal": "debit", "withdrawal in cash": "debit"}
)

_CATEGORY_OF_PURPOSE: Mapping[str, str] = MappingProxyType(
    {
        "interest credited": "interest",
        "old-age pension": "other_income",
        "sanction interest if negative balance": "penalty",
        "payment for statement": "fees",
        "insurrance payment": "insurance",
        "insurance payment": "insurance",
        "household": "utilities",
        "loan payment": "emi",
        "leasing": "emi",
    }
)
_CATEGORY_OF_OPERATION: Mapping[str, str] = MappingProxyType(
    {
        # The bank names no salaries. Money from outside is income, wages handed out in cash included.
        "credit in cash": "other_income",
        "collection from another bank": "other_income",
        "withdrawal in cash": "cash",
        "credit card withdrawal": "cash",
        "remittance to another bank": "transfer",
    }
)
_CHANNEL_OF_OPERATION: Mapping[str, str] = MappingProxyType(
    {
        "credit in cash": "cash",
        "withdrawal in cash": "cash",
        "credit card withdrawal": "card",
        "collection from another bank": "transfer",
        "remittance to another bank": "transfer",
    }
)
_BOOKED_BY_THE_BANK = frozenset({"interest", "penalty", "fees"})


def english(codes: "pd.Series[str]") -> "pd.Series[str]":
    """Codes in either language as the English words; a code that is in neither stays as it is."""
    return codes.replace(dict(ENGLISH))


def categorise(operation: "pd.Series[str]", purpose: "pd.Series[str]") -> "pd.Series[str]":
    """Ledger categories of transactions. The purpose decides, where there is one, and else the operation."""
    return purpose.map(_CATEGORY_OF_PURPOSE).fillna(operation.map(_CATEGORY_OF_OPERATION)).fillna("other")


def channel_of(operation: "pd.Series[str]", category: "pd.Series[str]") -> "pd.Series[str]":
    """Ledger channels of transactions; what the bank itself books, interest and charges, is `other`."""
    channel = operation.map(_CHANNEL_OF_OPERATION).fillna("other")
    return channel.mask(category.isin(_BOOKED_BY_THE_BANK), "other")
