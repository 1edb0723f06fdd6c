"""Reading a ledger from a folder of Parquet or CSV files."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from finml.errors import ContractError, SourceError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.origin import MARKER_FILE, Origin
from finml.ledger.source import BATCH_ROWS, Header, LedgerSource, RawBatch
from finml.ledger.sources.csv_file import csv_batches, csv_columns
from finml.ledger.urls import LedgerUrl

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import dataset

_SUFFIXES = (".parquet", ".csv")


class FolderSource(LedgerSource):
    """Each table is one file or a subfolder of files, in Parquet or CSV."""

    def __init__(self, target: LedgerUrl) -> None:
        self.place = target.public
        self._folder = target.path
        if not self._folder.is_dir():
            what = "is a file, not a folder" if self._folder.exists() else "does not exist"
            raise SourceError(
                f"the ledger {self.place} {what}",
                hint="make one with `finml data generate` or `finml data import`, or set FINML_LEDGER_URL",
            )
        if not any(self._files(table) for table in TABLES):
            raise SourceError(
                f"the folder {self.place} holds no ledger table",
                hint=f"files are named after their table: {', '.join(TABLES)}, as .parquet or .csv",
            )

    @override
    def headers(self, table: str) -> list[Header]:
        files = self._files(table)
        if len(files) > 1 and any(file.parent == self._folder for file in files):
            names = ", ".join(self._name(file) for file in files[:3])
            raise ContractError(f"{table} is there more than once: {names}", hint="keep one of them")
        return [Header(self._name(file), self._columns(file)) for file in files]

    @override
    def strangers(self) -> list[str]:
        own = {name for table in TABLES for name in (table, *(table + suffix for suffix in _SUFFIXES))}
        return sorted(
            path.name for path in self._folder.iterdir() if path.name not in own and path.name[0] not in "._"
        )

    @override
    def generation(self) -> str | None:
        marker = self._folder / MARKER_FILE
        origin = Origin.from_json(marker.read_bytes()) if marker.exists() else None
        return origin.generation if origin else None

    @override
    def batches(
        self, table: str, since: datetime | None, batch_rows: int = BATCH_ROWS, keys: Sequence[str] = ()
    ) -> Iterator[RawBatch]:
        for file in self._files(table):
            name = self._name(file)
            columns = self.wanted_columns(table, self._columns(file))
            if file.suffix.lower() == ".csv":
                yield from csv_batches(file, name, columns, batch_rows)
            else:
                data, key = _open_parquet(file, name), CONTRACTS[table].primary_key
                changed = None if since is None else _changed(data.schema, key, since, keys)
                scanner = data.scanner(columns, changed, batch_rows, batch_readahead=1, fragment_readahead=1)
                yield from _parquet_batches(scanner, name)

    @override
    def close(self) -> None:
        """Nothing stays open between batches."""

    def _files(self, table: str) -> list[Path]:
        single = [self._folder / f"{table}{suffix}" for suffix in _SUFFIXES]
        parts = sorted(
            path
            for path in (self._folder / table).glob("*")
            if path.suffix.lower() in _SUFFIXES and path.name[0] not in "._"
        )
        return [path for path in single if path.is_file()] + parts

    def _columns(self, file: Path) -> tuple[str, ...]:
        name = self._name(file)
        if file.suffix.lower() == ".csv":
            return csv_columns(file, name)
        return tuple(_open_parquet(file, name).schema.names)

    def _name(self, file: Path) -> str:
        return file.relative_to(self._folder).as_posix()


def _open_parquet(file: Path, name: str) -> "dataset.Dataset":
    import pyarrow as pa
    from pyarrow import dataset

    if file.stat().st_size == 0:
        raise ContractError(
            f"{name} is empty (0 bytes)", hint="deliver a Parquet file, if need be of no rows"
        )
    try:
        return dataset.dataset(file, format="parquet")
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(name, error) from error


def _parquet_batches(scanner: "dataset.Scanner", name: str) -> Iterator[RawBatch]:
    import pyarrow as pa

    try:
        for batch in scanner.to_batches():
            yield RawBatch(pa.Table.from_batches([batch]))
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(name, error) from error


def _changed(
    schema: "pa.Schema", key: str, since: datetime, keys: Sequence[str]
) -> "dataset.Expression | None":
    """A filter by which Parquet row groups are skipped; `None` where the file's types do not allow one."""
    import pyarrow as pa
    from pyarrow import dataset

    changed_type, key_type = schema.field("updated_at").type, schema.field(key).type
    if not pa.types.is_timestamp(changed_type) or (keys and not pa.types.is_string(key_type)):
        return None
    # a coarser unit cannot hold the microseconds; an earlier second leaves nothing out
    moment = since.replace(microsecond=0, tzinfo=UTC if changed_type.tz else None)
    changed = dataset.field("updated_at")
    wanted = (changed >= pa.scalar(moment, changed_type)) | changed.is_null()
    return wanted | dataset.field(key).isin(pa.array(keys, key_type)) if keys else wanted


def _unreadable(name: str, error: Exception) -> ContractError:
    first_line = str(error).splitlines()[0]
    return ContractError(f"{name} is not a readable Parquet file: {first_line}", hint="deliver it again")
