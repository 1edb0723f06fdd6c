"""Where features come from: the offline store's tables, and the request itself."""

from typing import TYPE_CHECKING

from finml.features.declarations import LOAN_REQUEST, View
from finml.features.offline import OfflineStore
from finml.features.postgres import schema_name
from finml.settings import Settings

if TYPE_CHECKING:
    from feast import RequestSource
    from feast.data_source import DataSource

TIMES = {"timestamp_field": "event_timestamp", "created_timestamp_column": "created_timestamp"}


def stored(settings: Settings, view: View) -> "DataSource":
    """Table of a stored view: Parquet files, or a table in PostgreSQL where the settings name one."""
    if settings.offline_url:
        from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import (
            PostgreSQLSource,
        )

        return PostgreSQLSource(
            name=f"{view.name}_source", table=f"{schema_name(settings)}.{view.name}", **TIMES
        )
    from feast import FileSource
    from feast.data_format import ParquetFormat

    path = OfflineStore(settings.workspace.features).view(view.name)
    return FileSource(name=f"{view.name}_source", path=str(path), file_format=ParquetFormat(), **TIMES)


def request() -> "RequestSource":
    """What a request tells about the loan asked for."""
    from feast import Field, RequestSource
    from feast.types import Float64

    return RequestSource(
        name="loan_request_source",
        schema=[
            Field(name=name, dtype=Float64, description=words)
            for name, words in LOAN_REQUEST.request_fields.items()
        ],
    )
