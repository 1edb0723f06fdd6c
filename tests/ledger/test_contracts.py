"""The contracts as data, and what is made from them."""

from datetime import datetime

import pandas as pd
import pytest

from finml.errors import ContractError
from finml.ledger.checks import failures, to_frame
from finml.ledger.contracts import CATEGORIES, CONTRACTS, INCOME_CATEGORIES, TABLES
from finml.ledger.currencies import CURRENCIES
from finml.ledger.declaration import Column, TableContract
from finml.ledger.statements import identifier, listed, quoted_path, statement
from tests.ledger.ledgers import NOW, good_ledger, typed


def test_parents_come_before_children() -> None:
    for position, table in enumerate(TABLES):
        for column, parent in CONTRACTS[table].foreign_keys.items():
            assert parent in TABLES[:position]
            assert not CONTRACTS[table].column(column).nullable


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=TABLES)
def test_a_contract_is_whole(contract: TableContract) -> None:
    assert contract.column_names[0] == contract.primary_key
    assert contract.column_names[-2:] == ("known_at", "updated_at")
    assert contract.event_time in contract.column_names
    assert contract.arrow_schema.names == list(contract.column_names)
    assert ("known_at", "updated_at") in [(order.earlier, order.later) for order in contract.orders]
    for column in contract.columns:
        assert column.words
        assert bool(column.values) == (column.kind == "enum")
        # money is whole minor units, and only numbers have ranges
        assert column.kind == "integer" or not column.name.endswith("_minor")
        assert (column.minimum is None) == (column.kind not in ("integer", "real"))


def test_every_good_row_passes_its_pandera_schema() -> None:
    for table, rows in good_ledger().items():
        schema = CONTRACTS[table].schema(NOW)
        assert failures(schema, to_frame(typed(table, rows))) == {}
        assert schema.name == table


def test_a_frame_of_another_shape_is_an_error_of_the_caller() -> None:
    frame = to_frame(typed("users", good_ledger()["users"]))
    with pytest.raises(ContractError):
        failures(CONTRACTS["users"].schema(NOW), frame.drop(columns="region"))
    with pytest.raises(ContractError):
        failures(CONTRACTS["users"].schema(NOW), frame.assign(region=1))


def test_failures_name_the_rows_though_others_are_missing() -> None:
    frame = to_frame(typed("loans", good_ledger()["loans"]))
    frame.loc[[0, 2], "term_months"] = pd.NA
    frame.loc[1, "annual_rate"] = float("nan")
    frame.loc[9, ["term_months", "annual_rate", "updated_at"]] = [601, 3.0, datetime(2030, 1, 1)]
    found = failures(CONTRACTS["loans"].schema(NOW), frame)
    assert {reason: list(mask.nonzero()[0]) for reason, mask in found.items()} == {
        "term_months: must be at most 600": [9],
        "annual_rate: must be at most 2": [9],
        "updated_at: must not lie in the future": [9],
    }


def test_vocabularies() -> None:
    assert set(INCOME_CATEGORIES) < set(CATEGORIES)
    assert len(set(CATEGORIES)) == len(CATEGORIES) == 20
    assert {"INR", "TWD", "CZK", "GBP"} < CURRENCIES
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)


def test_names_that_could_break_a_statement_are_refused() -> None:
    for name in ("", "Users", "users; drop table users", 'us"ers', "1st", "u" * 64):
        with pytest.raises(ValueError, match="cannot be an identifier"):
            identifier(name)
        with pytest.raises(ValueError, match="cannot be"):
            TableContract("users", "k", "k", (Column(name, "id", "x"),), {}, ())
    assert statement("SELECT {a}, {b}", a="x", b=listed(["y", "z"], "t")) == 'SELECT "x", "t"."y", "t"."z"'
    assert quoted_path("it's") == "'it''s'"  # type: ignore[arg-type] # any path-like will do
