"""Feast's registry file, written whole or not at all.

Feast names this module in `feature_store.yaml`; the class must be called what it is called.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from feast.infra.registry.file import FileRegistryStore

if TYPE_CHECKING:
    from feast.protos.feast.core.Registry_pb2 import Registry


class AtomicRegistryStore(FileRegistryStore):  # type: ignore[misc] # Feast is not typed
    """A registry in a file that a killed writer cannot spoil and a reader cannot see half written."""

    _filepath: Path

    def _write_registry(self, registry_proto: "Registry") -> None:
        final = self._filepath
        final.parent.mkdir(parents=True, exist_ok=True)
        self._filepath = final.with_name(f".{final.name}-{uuid4().hex}")
        try:
            super()._write_registry(registry_proto)
            self._filepath.replace(final)
        finally:
            self._filepath.unlink(missing_ok=True)
            self._filepath = final
