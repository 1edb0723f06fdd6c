"""What the ledger's tables must hold: columns with meaning and unit, ranges, keys, the order of times.

Each table is declared once, as data. The Pandera schema, the Arrow schema and the SQL column types are made
from that declaration, so they cannot disagree.

Money is an integer number of minor units (cents, paise; suffix `_minor`). Timestamps are naive and mean UTC,
in microseconds. `known_at` is when the bank's systems first knew the row and decides what a point in time may
see; `updated_at` is when the row last changed and drives incremental ingestion.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    import pandera.pandas as pandera
    import pyarrow as pa

Kind = Literal["id", "text", "enum", "currency", "timestamp", "integer", "real", "flag"]

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

MAX_ID_LENGTH = 64
MAX_TEXT_LENGTH = 256
MAX_TRANSACTION_MINOR = 10**13
MAX_MONEY_MINOR = 10**15
"""Far above any real sum, far below what int64 sums over a whole ledger can hold."""
EARLIEST_YEAR = 1900
LAST_DUE_YEARS = 60
"""How far ahead a due date may lie: a term of 600 months, and room."""

_SQL_TYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "id": "TEXT",
        "text": "TEXT",
        "enum": "TEXT",
        "currency": "TEXT",
        "timestamp": "TIMESTAMP",
        "integer": "BIGINT",
        "real": "DOUBLE PRECISION",
        "flag": "BOOLEAN",
    }
)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: the column's name.
        kind: what its values are; decides type and standing checks.
        words: meaning and unit.
        nullable: whether a value may be missing.
        values: the allowed values of an `enum`.
        minimum: least value allowed, itself included.
        maximum: greatest value allowed, itself included.
        future: whether a timestamp may lie after the moment of ingestion.
    """

    name: str
    kind: Kind
    words: str
    nullable: bool = False
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    future: bool = False

    @property
    def sql_type(self) -> str:
        """Column type that PostgreSQL, SQLite and DuckDB all understand."""
        return _SQL_TYPES[self.kind]

    @property
    def arrow_type(self) -> "pa.DataType":
        """Arrow type of a validated column."""
        import pyarrow as pa

        match self.kind:
            case "timestamp":
                return pa.timestamp("us")
            case "integer":
                return pa.int64()
            case "real":
                return pa.float64()
            case "flag":
                return pa.bool_()
            case _:
                return pa.string()


@dataclass(frozen=True)
class Order:
    """Two times of a row, of which one may not come before the other. Missing times break no order."""

    earlier: str
    later: str
    strict: bool = False

    @property
    def words(self) -> str:
        """The rule as a sentence that a report can show."""
        return f"must be {'before' if self.strict else 'at or before'} {self.later}"


@dataclass(frozen=True)
class TableContract:
    """What one table must hold.

    Attributes:
        name: the table's name.
        primary_key: column whose values are unique in the table.
        event_time: column that says when the thing happened.
        columns: all columns, primary key first.
        foreign_keys: parent table by column.
        orders: rules on the order of a row's times.
        required: whether a ledger without a row in this table cannot be meant.
    """

    name: str
    primary_key: str
    event_time: str
    columns: tuple[Column, ...]
    foreign_keys: Mapping[str, str]
    orders: tuple[Order, ...]
    required: bool = False

    def __post_init__(self) -> None:
        for identifier in (self.name, *self.column_names):
            if not _IDENTIFIER.fullmatch(identifier):
                raise ValueError(f"{identifier!r} cannot be the name of a table or column")

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; `KeyError` if there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def arrow_schema(self) -> "pa.Schema":
        """Arrow schema of the validated table."""
        import pyarrow as pa

        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    def schema(self, now: "datetime") -> "pandera.DataFrameSchema":
        """The contract as a Pandera schema, for frames made from a table of `arrow_schema`.

        Args:
            now: naive UTC time after which nothing can have happened yet.
        """
        from finml.ledger.checks import dataframe_schema

        return dataframe_schema(self, now)


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

CONTRACTS: Mapping[str, TableContract] = MappingProxyType(
    {
        contract.name: contract
        for contract in (_USERS, _ACCOUNTS, _TRANSACTIONS, _LOANS, _LOAN_PAYMENTS, _LOAN_OUTCOMES)
    }
)
"""All contracts by table, parents before children."""

TABLES: tuple[str, ...] = tuple(CONTRACTS)
