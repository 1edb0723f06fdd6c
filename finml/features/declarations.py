"""Every feature that finml knows, declared once: name, unit, meaning, and the view it belongs to.

The Ibis expressions select their columns by these declarations, `feature_repo` makes Feast's objects from
them and `docs/features.md` shows them as a table, so the three cannot disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Literal

AMOUNT, COUNT, SHARE, RATIO, DAYS, MONTHS, CODE, JSON = (
    "currency",
    "count",
    "share",
    "ratio",
    "days",
    "months",
    "code",
    "json",
)
STATEMENTS = 6
"""How many of the latest statements are features one by one."""


@dataclass(frozen=True)
class Feature:
    """One feature: a float64 that may be missing, or a text where the unit is `json`.

    Attributes:
        name: column name, unique over all views.
        unit: `currency` (major units), `count`, `share` (of 1), `ratio`, `days`, `months`, `code` or `json`.
        words: what it says, and when it is missing.
    """

    name: str
    unit: str
    words: str

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.unit == JSON


@dataclass(frozen=True)
class View:
    """A feature view: features of one entity that are computed, stored and served together.

    Attributes:
        version: raised when the meaning of a feature changes.
        ttl: age above which a value is stale, and which point-in-time joins do not look beyond.
        computed: `stored`, or `on_demand` for one that is computed when it is asked for.
        always: a feature of a stored view that is never missing in a row that is there.
        snapshots: whether the offline store keeps a stored view at each moment of the calendar, or, beside
            the exact rows, in the ledger's present alone.
        request_fields: what a request must tell for the view to be computed, and what that means; each a
            float64 that may be missing (NaN).
    """

    name: str
    words: str
    features: tuple[Feature, ...]
    version: str = "1"
    owner: str = "risk-platform"
    ttl: timedelta = timedelta(days=45)
    computed: Literal["stored", "on_demand"] = "stored"
    always: str = ""
    snapshots: Literal["calendar", "present"] = "calendar"
    request_fields: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)


def _windows(name: str, unit: str, words: str, days: tuple[int, ...]) -> tuple[Feature, ...]:
    return tuple(Feature(f"{name}_{d}d", unit, f"{words}, last {d} days") for d in days)


def _statements(name: str, unit: str, words: str) -> tuple[Feature, ...]:
    return tuple(
        Feature(f"{name}_{k}", unit, f"{words}, {'latest statement' if k == 1 else f'statement {k} back'}")
        for k in range(1, STATEMENTS + 1)
    )


USER_FINANCIALS = View(
    name="user_financials",
    words="What a user's accounts say about their money; from transactions of the last 180 days",
    features=(
        *_windows("income", AMOUNT, "salary, other income and interest received", (30, 90, 180)),
        *_windows("spending", AMOUNT, "money spent; no transfers, no investments", (30, 90, 180)),
        Feature(
            "essentials_90d",
            AMOUNT,
            "spent on rent, groceries, utilities, transport, health, education and insurance, last 90 days",
        ),
        Feature("discretionary_90d", AMOUNT, "spent on dining, shopping and entertainment, last 90 days"),
        Feature("cash_90d", AMOUNT, "cash withdrawn, last 90 days"),
        Feature("debt_service_90d", AMOUNT, "instalments paid from accounts, last 90 days"),
        Feature("fees_90d", AMOUNT, "bank fees, last 90 days"),
        Feature("penalties_90d", AMOUNT, "penalties, last 90 days"),
        Feature("transfers_in_90d", AMOUNT, "money received that is no income, last 90 days"),
        Feature("transfers_out_90d", AMOUNT, "transfers out, last 90 days"),
        Feature("investments_90d", AMOUNT, "invested, last 90 days"),
        Feature("net_flow_90d", AMOUNT, "all money in less all money out, last 90 days"),
        Feature("penalty_count_180d", COUNT, "penalties, last 180 days"),
        Feature(
            "savings_rate_90d", RATIO, "share of the income not spent, last 90 days; missing without any"
        ),
        Feature(
            "savings_rate_180d", RATIO, "share of the income not spent, last 180 days; missing without any"
        ),
        Feature(
            "income_volatility", RATIO, "standard deviation over mean of the income of six 30-day months"
        ),
        Feature(
            "spending_volatility", RATIO, "standard deviation over mean of the spending of six 30-day months"
        ),
        Feature("income_trend", RATIO, "income of the last 30 days over the mean 30 days of 180"),
        Feature("spending_trend", RATIO, "spending of the last 30 days over the mean 30 days of 180"),
        Feature(
            "balance", AMOUNT, "latest balance of the deposit accounts; missing if none was told in 180 days"
        ),
        Feature("balance_min_90d", AMOUNT, "lowest balance of any deposit account, last 90 days"),
        Feature("buffer_months", MONTHS, "months of the last 90 days' spending that the balance would pay"),
        Feature("overdrawn_count_90d", COUNT, "transactions that left a deposit account below zero, 90 days"),
        *_windows("transaction_count", COUNT, "transactions", (30, 90, 180)),
        Feature("largest_spending_90d", AMOUNT, "largest single spending, last 90 days"),
        Feature("days_since_income", DAYS, "days since income was last received; missing beyond 180"),
        Feature("days_since_transaction", DAYS, "days since the last transaction; missing beyond 180"),
        Feature("tenure_months", MONTHS, "months since the user became a customer"),
        Feature("accounts", COUNT, "open accounts"),
        Feature(
            "monthly_income", AMOUNT, "income a month: as declared, else a sixth of income_180d; missing at 0"
        ),
    ),
    always="accounts",
)

CREDIT_HISTORY = View(
    name="credit_history",
    words="What a user's earlier loans say; a loan counts from the moment after it was applied for",
    features=(
        Feature("loans", COUNT, "loans and credit lines ever"),
        Feature("loans_open", COUNT, "loans with something outstanding, and credit lines"),
        Feature("loans_180d", COUNT, "loans applied for in the last 180 days"),
        Feature("principal", AMOUNT, "sum of all principals and credit limits"),
        Feature("outstanding", AMOUNT, "owed over all loans: latest statement, else by the share paid"),
        Feature("credit_limit", AMOUNT, "limit over all credit lines, else over credit cards"),
        Feature("debt_service", AMOUNT, "instalments a month over open loans"),
        Feature("overdue", AMOUNT, "amount due of instalments that are late and not paid"),
        Feature("payments_due", COUNT, "instalments and statements that have fallen due"),
        Feature("on_time_share", SHARE, "share of those without delay; missing without any"),
        Feature("on_time_share_180d", SHARE, "share without delay of those of the last 180 days"),
        *_windows("worst_delay", DAYS, "worst delay of payments due", (30, 90, 180)),
        Feature("worst_delay", DAYS, "worst delay ever; missing where nothing fell due"),
        Feature("late_statements", COUNT, "late among the six latest statements of each loan"),
        Feature("months_since_late", MONTHS, "months since the due date of the last late payment"),
        Feature("credit_history_months", MONTHS, "months since the first loan was applied for"),
        Feature("debt_to_income", RATIO, "outstanding over a year's income"),
        Feature("debt_service_to_income", RATIO, "instalments a month over monthly income"),
        Feature("loan_to_value", RATIO, "outstanding on secured loans over their collateral"),
        Feature("utilisation", RATIO, "latest statement balance over limit or principal"),
        Feature("utilisation_mean", RATIO, "the same, mean of the latest six statements"),
        Feature("utilisation_trend", RATIO, "mean of statements 1 to 3 less mean of statements 4 to 6"),
        Feature("paid_share_latest", RATIO, "latest payment over the statement before it"),
        Feature("paid_share", RATIO, "payments 1 to 5 over statements 2 to 6"),
        Feature("defaults", COUNT, "earlier defaults, from when they were known"),
        *_statements("delay_days", DAYS, "worst delay over the loans"),
        *_statements(
            "status",
            CODE,
            "worst over the loans: -2 unused, -1 paid in full or on time, 0 revolving or less than a month "
            "late, n months late",
        ),
        *_statements("bill", AMOUNT, "statement balance over the loans"),
        *_statements("paid", AMOUNT, "paid on it so far over the loans"),
    ),
    always="loans",
)

TRANSACTION_HABITS = View(
    name="transaction_habits",
    words="How a user usually pays; from debits of the last 180 days",
    features=(
        Feature(
            "habits",
            JSON,
            "count and days of history; amounts (median and deviation of their logarithm) over all, by "
            "category and by merchant; hours and weekdays (UTC); days between payments to a merchant; the "
            "debits of the last 7 days",
        ),
    ),
    owner="financial-crime",
    always="habits",
    snapshots="present",
)

SPENDING_HISTORY = View(
    name="spending_history",
    words="What a user spent by category and calendar month",
    features=(
        Feature(
            "spending",
            JSON,
            "the last six complete months and the month so far, major units; no transfers, no investments; "
            "the first complete month as a customer",
        ),
    ),
    owner="personal-finance",
    always="spending",
    snapshots="present",
)

REQUEST_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "loan_amount": "amount asked for, major units",
        "term_months": "term asked for, months",
        "annual_rate": "interest a year, 0.12 is 12 %",
        "installment": "instalment a month, major units",
        "collateral_value": "value of the collateral, major units",
    }
)
"""What a request tells about the loan; each may be missing (NaN)."""

LOAN_REQUEST = View(
    name="loan_request",
    words="The loan asked for, against what the user has; computed at request time",
    features=(
        Feature("amount_to_income", RATIO, "amount asked for over a year's income"),
        Feature("installment_to_income", RATIO, "instalment asked for over monthly income"),
        Feature("total_installment_to_income", RATIO, "that and the instalments of open loans, over income"),
        Feature("installment_to_surplus", RATIO, "instalment over what 90 days' income left over a month"),
        Feature("amount_to_balance", RATIO, "amount asked for over the latest balance"),
        Feature("balance_to_installment", MONTHS, "instalments that the latest balance would pay"),
        Feature("request_loan_to_value", RATIO, "amount asked for over the collateral offered"),
        Feature("total_debt_to_income", RATIO, "that and what is outstanding, over a year's income"),
    ),
    computed="on_demand",
    request_fields=REQUEST_FIELDS,
)

STORED_VIEWS: tuple[View, ...] = (USER_FINANCIALS, CREDIT_HISTORY, TRANSACTION_HABITS, SPENDING_HISTORY)
"""Views that are built from the ledger and kept in the offline and the online store."""

VIEWS: Mapping[str, View] = MappingProxyType({v.name: v for v in (*STORED_VIEWS, LOAN_REQUEST)})

SERVICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "credit_risk_v1": ("user_financials", "credit_history", "loan_request"),
        "anomaly_v1": ("transaction_habits",),
        "spending_v1": ("spending_history",),
    }
)
"""The views that each feature service is made of. One service a model and version of its feature set."""


def service_views(service: str) -> tuple[View, ...]:
    """The views of a service."""
    return tuple(VIEWS[name] for name in SERVICES[service])


def request_fields(service: str) -> tuple[str, ...]:
    """What a request to the service must tell beside whom it is about; nothing where all is stored."""
    return tuple(name for view in service_views(service) for name in view.request_fields)


def markdown() -> str:
    """The tables of all features for `docs/features.md`."""
    lines: list[str] = []
    for view in VIEWS.values():
        lines += [f"### {view.name}", "", f"{view.words}. Version {view.version}, owner {view.owner}"]
        lines[-1] += f", stale after {view.ttl.days} days." if view.computed == "stored" else "."
        lines += ["", "| feature | unit | meaning |", "|---|---|---|"]
        lines += [f"| `{f.name}` | {f.unit} | {f.words} |" for f in view.features]
        lines.append("")
    return "\n".join(lines)
