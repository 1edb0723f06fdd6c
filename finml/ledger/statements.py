"""SQL statements whose identifiers are checked and quoted. Values never go in here: they are bound."""

import re
from collections.abc import Iterable
from pathlib import Path

from finml.ledger.declaration import TableContract

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Fragment(str):
    """A piece of SQL that `statement` takes as it is, for it was made from checked identifiers."""

    __slots__ = ()


def identifier(name: str) -> Fragment:
    """`name`, quoted.

    Raises:
        ValueError: it is not a plain lower-case name.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} cannot be an identifier")
    return Fragment(f'"{name}"')


def listed(names: Iterable[str], prefix: str = "") -> Fragment:
    """Quoted names with commas between them, each behind `prefix.` if there is one."""
    start = f"{identifier(prefix)}." if prefix else ""
    return Fragment(", ".join(start + identifier(name) for name in names))


def quoted_path(path: Path) -> Fragment:
    """A path as a string literal, for the few statements of DuckDB that cannot bind one."""
    return Fragment("'" + str(path).replace("'", "''") + "'")


def statement(template: str, **names: str) -> str:
    """`template` with each `{name}` replaced by a quoted identifier or a `Fragment`."""
    parts = {key: name if isinstance(name, Fragment) else identifier(name) for key, name in names.items()}
    return template.format_map(parts)


def create_table(contract: TableContract, create: str, place: str = "main", more: Iterable[str] = ()) -> str:
    """Statement that makes a contract's table.

    Args:
        contract: the table's contract.
        create: the words to begin with, such as `CREATE TABLE`.
        place: schema or attached database.
        more: definitions of columns beside the contract's.
    """
    columns = [f"{identifier(column.name)} {column.sql_type}" for column in contract.columns]
    parts = Fragment(", ".join([*columns, *more]))
    return statement(create + " {place}.{table} ({parts})", place=place, table=contract.name, parts=parts)
