"""The features that `credit_risk` reads, each with its direction and its words.

A sign is set where the field is sure of it: more delay, debt or utilisation never makes a loan safer, more
income or a larger cushion never riskier. Elsewhere the data decides. Sex, age, marital status and education
are not here and may not be: they serve to measure fairness and nothing else.
"""

from typing import Literal

from finml.ledger.contracts import LOAN_KINDS
from finml.models.credit_risk.features import Feature, Unit

Sign = Literal[-1, 0, 1]
# name, unit, sign, words about a value, words about zero
Row = tuple[str, Unit, Sign, str, str]

LATEST = {
    1: "the latest statement",
    2: "the statement before the latest",
    3: "the third latest statement",
}

DELAYS: tuple[Row, ...] = (
    ("worst_delay", "days", 1, "the worst payment was {} late", "no payment was ever late"),
    ("worst_delay_90d", "days", 1, "the worst delay in 90 days was {}", "no payment was late in 90 days"),
    ("worst_delay_180d", "days", 1, "the worst delay in 180 days was {}", "no payment was late in 180 days"),
    ("on_time_share", "percent", -1, "{} of all payments due were on time", "no payment due was on time"),
    (
        "on_time_share_180d",
        "percent",
        -1,
        "{} of the payments due in 180 days were on time",
        "no payment due in 180 days was on time",
    ),
    (
        "late_statements",
        "count",
        1,
        "{} of the last 6 statements were late",
        "none of the last 6 statements was late",
    ),
    ("months_since_late", "months", -1, "the last late payment was due {} ago", ""),
    ("overdue", "currency", 1, "{} is overdue", "nothing is overdue"),
    ("defaults", "count", 1, "earlier defaults: {}", "there was no earlier default"),
    *(
        (f"delay_days_{k}", "days", 1, f"{which} was {{}} late", f"{which} was on time")
        for k, which in LATEST.items()
    ),
)
REPAYMENT: tuple[Row, ...] = (
    *((f"status_{k}", "status", 0, f"{which} was {{}}", "") for k, which in LATEST.items()),
    (
        "paid_share_latest",
        "percent",
        -1,
        "the latest payment was {} of what was owed",
        "nothing was paid on the latest statement",
    ),
    (
        "paid_share",
        "percent",
        -1,
        "{} of the last statements was paid",
        "nothing of the last statements was paid",
    ),
    *(
        (f"paid_{k}", "currency", -1, f"{{}} was paid by {which}", f"nothing was paid by {which}")
        for k, which in LATEST.items()
    ),
    ("bill_1", "currency", 0, "the latest statement was over {}", "the latest statement was over zero"),
)
UTILISATION: tuple[Row, ...] = (
    ("utilisation", "percent", 1, "{} of the credit limit is used", "nothing of the credit limit is used"),
    (
        "utilisation_mean",
        "percent",
        1,
        "{} of the credit limit was used on average",
        "the credit limit was not used",
    ),
    (
        "utilisation_trend",
        "percent",
        0,
        "use of the credit limit changed by {} of it",
        "use of the limit is steady",
    ),
)
DEBT: tuple[Row, ...] = (
    ("outstanding", "currency", 0, "{} is owed on earlier loans", "nothing is owed on earlier loans"),
    ("loans", "count", 0, "number of earlier loans: {}", "there is no earlier loan"),
    ("loans_open", "count", 0, "number of open loans: {}", "no loan is open"),
    ("loans_180d", "count", 0, "loans applied for in 180 days: {}", "no loan was applied for in 180 days"),
    ("debt_to_income", "times", 1, "debt is {} a year's income", "there is no debt"),
    (
        "debt_service_to_income",
        "percent",
        1,
        "{} of income goes into instalments",
        "no income goes into instalments",
    ),
    ("loan_to_value", "percent", 1, "{} of the collateral is owed", "nothing is owed on the collateral"),
)
REQUEST: tuple[Row, ...] = (
    ("loan_amount", "currency", 0, "the amount is {}", ""),
    ("term_months", "months", 0, "the term is {}", ""),
    ("annual_rate", "percent", 0, "the rate is {} a year", "the loan bears no interest"),
    ("installment", "currency", 0, "the instalment is {} a month", ""),
)
AFFORDABILITY: tuple[Row, ...] = (
    ("amount_to_income", "times", 1, "the amount is {} a year's income", ""),
    ("installment_to_income", "percent", 1, "the instalment is {} of income", ""),
    ("total_installment_to_income", "percent", 1, "all instalments together are {} of income", ""),
    ("installment_to_surplus", "percent", 1, "the instalment is {} of what a month leaves over", ""),
    ("amount_to_balance", "times", 1, "the amount is {} the balance", ""),
    (
        "balance_to_installment",
        "times",
        -1,
        "the balance is {} the instalment",
        "there is no balance to pay from",
    ),
    ("total_debt_to_income", "times", 1, "debt with this loan is {} a year's income", ""),
)
COLLATERAL: tuple[Row, ...] = (
    ("request_loan_to_value", "percent", 1, "the amount is {} of the collateral", ""),
)
INCOME: tuple[Row, ...] = (
    ("monthly_income", "currency", -1, "income is {} a month", ""),
    (
        "income_volatility",
        "percent",
        0,
        "income varies by {} from month to month",
        "income is the same every month",
    ),
    (
        "income_trend",
        "percent",
        0,
        "income of the last month is {} of the usual",
        "no income came in 30 days",
    ),
    ("days_since_income", "days", 1, "the last income came {} ago", "the last income came today"),
)
CUSHION: tuple[Row, ...] = (
    ("balance", "currency", 0, "the balance is {}", "the balance is zero"),
    (
        "balance_min_90d",
        "currency",
        -1,
        "the lowest balance in 90 days was {}",
        "the balance fell to nothing in 90 days",
    ),
    ("buffer_months", "months", -1, "the balance lasts for {} of spending", "the balance is zero"),
    (
        "overdrawn_count_90d",
        "count",
        1,
        "payments beyond the balance in 90 days: {}",
        "the account was not overdrawn",
    ),
    ("penalty_count_180d", "count", 1, "penalties in 180 days: {}", "there was no penalty in 180 days"),
)
SPENDING: tuple[Row, ...] = (
    (
        "savings_rate_90d",
        "percent",
        0,
        "{} of income was left over in 90 days",
        "all income was spent in 90 days",
    ),
    (
        "savings_rate_180d",
        "percent",
        0,
        "{} of income was left over in 180 days",
        "all income was spent in 180 days",
    ),
    (
        "net_flow_90d",
        "currency",
        0,
        "money in less money out in 90 days was {}",
        "as much went out as came in",
    ),
    (
        "spending_volatility",
        "percent",
        0,
        "spending varies by {} from month to month",
        "spending never varies",
    ),
    (
        "spending_trend",
        "percent",
        0,
        "spending of the last month is {} of the usual",
        "nothing was spent in 30 days",
    ),
    ("essentials_90d", "currency", 0, "{} went into essentials in 90 days", "nothing went into essentials"),
    (
        "transaction_count_90d",
        "count",
        0,
        "transactions in 90 days: {}",
        "there was no transaction in 90 days",
    ),
)
HISTORY: tuple[Row, ...] = (
    ("credit_history_months", "months", 0, "the first loan was applied for {} ago", ""),
    ("tenure_months", "months", 0, "a customer for {}", ""),
)

# topic: rows, words where a value is missing
TOPICS: dict[str, tuple[tuple[Row, ...], str]] = {
    "payment delays": (DELAYS, "no late payment is on record"),
    "repayment": (REPAYMENT, "there is no statement to judge repayment by"),
    "utilisation": (UTILISATION, "how far credit limits are used is not known"),
    "existing debt": (DEBT, "how debt compares with income or collateral is not known"),
    "loan asked for": (REQUEST, "terms of the loan are not given"),
    "affordability": (AFFORDABILITY, "how the loan compares with income and balance is not known"),
    "collateral": (COLLATERAL, "no collateral is known"),
    "income": (INCOME, "income is not fully known"),
    "cushion": (CUSHION, "how long the balance would last is not known"),
    "spending": (SPENDING, "income and spending are not fully known"),
    "history": (HISTORY, "no earlier loan is known"),
}

FEATURES: tuple[Feature, ...] = (
    *(
        Feature(name, unit, sign, topic, words, zero, missing)
        for topic, (rows, missing) in TOPICS.items()
        for name, unit, sign, words, zero in rows
    ),
    *(
        Feature(
            name=f"loan_kind_{kind}",
            unit="flag",
            sign=0,
            topic="loan asked for",
            words=f"the kind of loan is {kind.replace('_', ' ')}",
            zero=f"the kind of loan is not {kind.replace('_', ' ')}",
            missing="the kind of loan is not given",
            source="loan_kind",
            category=kind,
        )
        for kind in LOAN_KINDS
    ),
)
"""Every feature, in the model's order."""
