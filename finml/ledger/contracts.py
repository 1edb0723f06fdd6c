"""What the ledger's tables must hold: columns with meaning and unit, ranges, keys, the order of times.

Each table is declared once, as data. The Pandera schema, the Arrow schema and the SQL column types are made
from that declaration, so they cannot disagree.

Money is an integer number of minor units (cents, paise; suffix `_minor`). Timestamps are naive and mean UTC,
in microseconds. `known_at` is when the bank's systems first knew the row and decides what a point in time may
see; `updated_at` is when the row last changed and drives incremental ingestion.
"""

from collections.abc import Mapping
from types import MappingProxyType

from finml.ledger.declaration import Annotation, Column, Order, Pattern, TableContract

INCOME_CATEGORIES = ("salary", "other_income", "interest")
SPENDING_CATEGORIES = (
    "rent",
    "emi",
    "groceries",
    "dining",
    "utilities",
    "transport",
    "shopping",
    "health",
    "education",
    "entertainment",
    "insurance",
    "investment",
    "transfer",
    "cash",
    "fees",
    "penalty",
    "other",
)
CATEGORIES = INCOME_CATEGORIES + SPENDING_CATEGORIES
DIRECTIONS = ("credit", "debit")
CHANNELS = ("upi", "card", "cash", "transfer", "direct_debit", "cheque", "other")
ACCOUNT_KINDS = ("current", "savings", "credit_card")
LOAN_KINDS = ("credit_line", "personal", "home", "auto", "education", "business", "consumer")
PAYMENT_STATUSES = ("unused", "paid_in_full", "revolving", "late", "on_time")
SEXES = ("female", "male", "other")
EDUCATIONS = ("graduate_school", "university", "high_school", "other")
MARITAL_STATUSES = ("married", "single", "other")
LANGUAGES = ("en", "hi", "hinglish", "other")
"""Languages of a message: `hi` is Hindi in Devanagari, `hinglish` Hindi and English in Latin script."""
OUT_OF_SCOPE = "oos"
"""Intent of a message that asks for nothing the product does."""

MAX_TRANSACTION_MINOR = 10**13
MAX_MONEY_MINOR = 10**15
"""Far above any real sum, far below what int64 sums over a whole ledger can hold."""
MAX_MESSAGE_LENGTH = 512
MAX_SPANS_LENGTH = 4096


def _times() -> tuple[Column, ...]:
    return (
        Column("known_at", "timestamp", "when the bank's systems first knew the row"),
        Column("updated_at", "timestamp", "when the row last changed"),
    )


def _money(name: str, words: str, *, nullable: bool = True, signed: bool = False, least: int = 0) -> Column:
    minimum = -MAX_MONEY_MINOR if signed else least
    return Column(
        name, "integer", f"{words}, minor units", nullable, minimum=minimum, maximum=MAX_MONEY_MINOR
    )


def _currency() -> Column:
    return Column("currency", "currency", "ISO 4217 code of the row's amounts")


_KNOWN_THEN_UPDATED = Order("known_at", "updated_at")

_USERS = TableContract(
    name="users",
    primary_key="user_id",
    event_time="created_at",
    columns=(
        Column("user_id", "id", "the user"),
        Column("created_at", "timestamp", "when the user became a customer"),
        Column("birth_date", "timestamp", "date of birth", nullable=True),
        Column("sex", "enum", "for fairness only", nullable=True, values=SEXES),
        Column("education", "enum", "for fairness only", nullable=True, values=EDUCATIONS),
        Column("marital_status", "enum", "for fairness only", nullable=True, values=MARITAL_STATUSES),
        Column("region", "text", "where the user lives", nullable=True),
        _money("monthly_income_minor", "income a month as declared by the user"),
        _currency(),
        *_times(),
    ),
    foreign_keys={},
    orders=(Order("birth_date", "created_at"), Order("created_at", "known_at"), _KNOWN_THEN_UPDATED),
    required=True,
)

_ACCOUNTS = TableContract(
    name="accounts",
    primary_key="account_id",
    event_time="opened_at",
    columns=(
        Column("account_id", "id", "the account"),
        Column("user_id", "id", "its holder"),
        Column("kind", "enum", "kind of account", values=ACCOUNT_KINDS),
        Column("opened_at", "timestamp", "when it was opened"),
        Column("closed_at", "timestamp", "when it was closed", nullable=True),
        _money("credit_limit_minor", "credit limit"),
        _currency(),
        *_times(),
    ),
    foreign_keys={"user_id": "users"},
    orders=(Order("opened_at", "closed_at"), Order("opened_at", "known_at"), _KNOWN_THEN_UPDATED),
)

_TRANSACTIONS = TableContract(
    name="transactions",
    primary_key="transaction_id",
    event_time="occurred_at",
    columns=(
        Column("transaction_id", "id", "the transaction"),
        Column("account_id", "id", "the account that it moves"),
        Column("occurred_at", "timestamp", "when it happened"),
        Column("direction", "enum", "credit: money in; debit: money out", values=DIRECTIONS),
        Column("amount_minor", "integer", "amount, minor units", minimum=1, maximum=MAX_TRANSACTION_MINOR),
        Column("category", "enum", "what it was for", values=CATEGORIES),
        Column("merchant", "text", "other party", nullable=True),
        Column("channel", "enum", "how it was made", nullable=True, values=CHANNELS),
        _money("balance_after_minor", "balance of the account afterwards", signed=True),
        *_times(),
    ),
    foreign_keys={"account_id": "accounts"},
    orders=(Order("occurred_at", "known_at"), _KNOWN_THEN_UPDATED),
)

_LOANS = TableContract(
    name="loans",
    primary_key="loan_id",
    event_time="applied_at",
    columns=(
        Column("loan_id", "id", "the loan"),
        Column("user_id", "id", "the borrower"),
        Column("kind", "enum", "kind of loan", values=LOAN_KINDS),
        Column("applied_at", "timestamp", "when it was applied for"),
        _money("principal_minor", "sum lent, or limit of a credit line", nullable=False, least=1),
        Column("term_months", "integer", "agreed term, months", nullable=True, minimum=1, maximum=600),
        Column("annual_rate", "real", "interest a year, 0.12 is 12 %", nullable=True, minimum=0, maximum=2),
        _money("installment_minor", "agreed instalment"),
        _money("collateral_value_minor", "value of the collateral"),
        _currency(),
        *_times(),
    ),
    foreign_keys={"user_id": "users"},
    orders=(Order("applied_at", "known_at"), _KNOWN_THEN_UPDATED),
)

_LOAN_PAYMENTS = TableContract(
    name="loan_payments",
    primary_key="payment_id",
    event_time="due_at",
    columns=(
        Column("payment_id", "id", "the instalment or monthly statement"),
        Column("loan_id", "id", "its loan"),
        Column("due_at", "timestamp", "when it is due", future=True),
        _money("amount_due_minor", "amount due", nullable=False),
        Column("paid_at", "timestamp", "when it was paid", nullable=True),
        _money("amount_paid_minor", "amount paid"),
        _money("statement_balance_minor", "outstanding; negative: in the user's favour", signed=True),
        Column(
            "days_past_due",
            "integer",
            "delay as the bank reports it at known_at, days",
            nullable=True,
            minimum=0,
            maximum=36_525,
        ),
        Column("status", "enum", "how it was paid", nullable=True, values=PAYMENT_STATUSES),
        *_times(),
    ),
    foreign_keys={"loan_id": "loans"},
    orders=(Order("paid_at", "updated_at"), _KNOWN_THEN_UPDATED),
)

_LOAN_OUTCOMES = TableContract(
    name="loan_outcomes",
    primary_key="outcome_id",
    event_time="as_of",
    columns=(
        Column("outcome_id", "id", "the outcome"),
        Column("loan_id", "id", "its loan"),
        Column("as_of", "timestamp", "moment of the question; a prediction may use what was known by then"),
        Column("defaulted", "flag", "whether the loan went into default"),
        *_times(),
    ),
    foreign_keys={"loan_id": "loans"},
    orders=(Order("as_of", "known_at", strict=True), _KNOWN_THEN_UPDATED),
)

_MESSAGES = TableContract(
    name="messages",
    primary_key="message_id",
    event_time="written_at",
    columns=(
        Column("message_id", "id", "the message"),
        Column("user_id", "id", "who typed it, customer or not yet", nullable=True),
        Column("written_at", "timestamp", "when it was typed"),
        Column(
            "text",
            "text",
            "what was typed",
            longest=MAX_MESSAGE_LENGTH,
            pattern=Pattern(r"\S", "must not be blank"),
        ),
        Column("language", "enum", "its language", nullable=True, values=LANGUAGES),
        Column(
            "intents",
            "text",
            f"what it asks for: labels joined by |, {OUT_OF_SCOPE} for out of scope; missing: not labelled",
            nullable=True,
            pattern=Pattern(r"^[^|\s]+(?:\|[^|\s]+)*$", "must be labels without spaces, joined by |"),
        ),
        Column(
            "spans",
            "text",
            "what it names, as JSON, see Annotation; missing: not annotated, []: names nothing",
            nullable=True,
            longest=MAX_SPANS_LENGTH,
        ),
        *_times(),
    ),
    foreign_keys={},
    orders=(Order("written_at", "known_at"), _KNOWN_THEN_UPDATED),
    annotations=(Annotation("spans", of="text"),),
    optional=True,
)

_TRANSACTION_LABELS = TableContract(
    name="transaction_labels",
    primary_key="transaction_id",
    event_time="reviewed_at",
    columns=(
        Column("transaction_id", "id", "the transaction that was reviewed"),
        Column("anomalous", "flag", "whether it was found to be unusual for its user"),
        Column("kind", "text", "what is unusual about it", nullable=True),
        Column("reviewed_at", "timestamp", "when it was reviewed"),
        *_times(),
    ),
    foreign_keys={"transaction_id": "transactions"},
    orders=(Order("reviewed_at", "known_at"), _KNOWN_THEN_UPDATED),
    optional=True,
)

CONTRACTS: Mapping[str, TableContract] = MappingProxyType(
    {
        contract.name: contract
        for contract in (
            _USERS,
            _ACCOUNTS,
            _TRANSACTIONS,
            _LOANS,
            _LOAN_PAYMENTS,
            _LOAN_OUTCOMES,
            _TRANSACTION_LABELS,
            _MESSAGES,
        )
    }
)
"""All contracts by table, parents before children."""

TABLES: tuple[str, ...] = tuple(CONTRACTS)
