"""The online store as a served model sees it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from finml.settings import Settings

if TYPE_CHECKING:
    from finml.features.online import FeatureRow, OnlineFeatures


class ServedFeatures:
    """Reads one feature service, by the definitions that the Bento holds in a folder.

    The store is opened when it is first read, so a service that starts before its store is ready as soon as
    the store is.
    """

    def __init__(self, service_name: str, folder: Path, settings: Settings) -> None:
        self._service_name = service_name
        self._folder = folder
        self._settings = settings
        self._opened: OnlineFeatures | None = None
        self._opening = Lock()

    @property
    def defined(self) -> bool:
        """Whether the Bento holds definitions of features; one of models trained on files need not."""
        return self._folder.is_dir()

    def read(
        self, user_ids: Sequence[str], request_rows: Sequence[Mapping[str, float | None]] | None = None
    ) -> list["FeatureRow"]:
        """Features of a batch, by one call to the store; see `OnlineFeatures.read`.

        Raises:
            FeatureError: the store is not there or cannot be read.
        """
        return self._open().read(user_ids, request_rows)

    def _open(self) -> "OnlineFeatures":
        from finml.features.online import OnlineFeatures
        from finml.features.serving import serving_store

        # a probe and a request may come at the same time
        with self._opening:
            if self._opened is None:
                store = serving_store(self._folder, self._settings)
                self._opened = OnlineFeatures(store, self._service_name)
            return self._opened
