"""Writing a ledger as a folder with one Parquet file a table."""

import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

from finml.errors import SourceError
from finml.ledger.contracts import CONTRACTS, TABLES
from finml.ledger.folders import swap_folder
from finml.ledger.origin import MARKER_FILE, Origin, check_replaceable
from finml.ledger.urls import LedgerUrl
from finml.ledger.writer import LedgerWriter

if TYPE_CHECKING:
    import pyarrow as pa

_OWN_FILES = {f"{table}.parquet" for table in TABLES}


class FolderWriter(LedgerWriter):
    """Writes into a folder beside the target and swaps the two at the end."""

    def __init__(self, target: LedgerUrl, origin: str, *, replace: bool) -> None:
        super().__init__(target.public, origin, replace=replace)
        self._folder = target.path.resolve()
        self._staging = self._folder.with_name(f".{self._folder.name}.{uuid4().hex[:8]}.new")

    def _begin(self) -> None:
        import pyarrow.parquet as pq

        if self._folder.exists() and not self._folder.is_dir():
            raise SourceError(f"{self.place} is a file, not a folder", hint="name a folder, new or empty")
        marker = self._folder / MARKER_FILE
        origin = Origin.from_json(marker.read_bytes()) if marker.exists() else None
        names = {path.name for path in self._folder.iterdir()} if self._folder.exists() else set()
        check_replaceable(self.place, names - {MARKER_FILE}, origin, own=_OWN_FILES, replace=self.replace)
        try:
            self._staging.mkdir(parents=True)
        except OSError as error:
            raise SourceError(
                f"{self.place} cannot be written: {error.strerror}", hint="check the folder's permissions"
            ) from error
        self._files = {
            table: pq.ParquetWriter(
                self._staging / f"{table}.parquet", contract.arrow_schema, compression="zstd"
            )
            for table, contract in CONTRACTS.items()
        }

    def _append(self, table: str, rows: "pa.Table") -> None:
        self._files[table].write_table(rows)

    def _publish(self) -> None:
        self._close_files()
        (self._staging / MARKER_FILE).write_text(self.origin.to_json())
        swap_folder(self._staging, self._folder)

    def _discard(self) -> None:
        self._close_files()
        shutil.rmtree(self._staging, ignore_errors=True)

    def _close_files(self) -> None:
        for file in self._files.values():
            file.close()
