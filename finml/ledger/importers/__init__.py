"""Importers: public data sets turned into a ledger.

`docs/data.md` says what each column of a data set becomes.
"""

from finml.ledger.importers.berka import import_berka
from finml.ledger.importers.taiwan import import_taiwan

__all__ = ["import_berka", "import_taiwan"]
