"""Feature views, made from the declarations in `finml.features`."""

import inspect
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from feature_repo import entities, sources
from finml.features.declarations import (
    CREDIT_HISTORY,
    LOAN_REQUEST,
    STORED_VIEWS,
    USER_FINANCIALS,
    View,
)
from finml.settings import Settings

if TYPE_CHECKING:
    from feast import FeatureView, Field, OnDemandFeatureView


def stored(settings: Settings) -> list["FeatureView"]:
    """The views that are built from the ledger."""
    from feast import FeatureView, Field
    from feast.types import String

    user = entities.user()
    return [
        FeatureView(
            name=view.name,
            description=view.words,
            entities=[user],
            ttl=view.ttl,
            schema=[Field(name="user_id", dtype=String), *_fields(view)],
            source=sources.stored(settings, view),
            online=True,
            tags=_tags(view),
            owner=view.owner,
        )
        for view in STORED_VIEWS
    ]


def loan_request(inputs: dict) -> dict:  # type: ignore[type-arg] # Feast runs this source text by itself
    """The loan asked for, against what the user has; see `finml.features.request_time`."""
    from finml.features.request_time import loan_request as compute

    return compute(inputs)


def on_demand(stored_views: Sequence["FeatureView"]) -> list["OnDemandFeatureView"]:
    """The views that are computed when they are asked for, from stored ones and the request."""
    from feast import Field
    from feast.on_demand_feature_view import OnDemandFeatureView
    from feast.transformation.python_transformation import PythonTransformation
    from feast.types import Float64

    read = {USER_FINANCIALS.name, CREDIT_HISTORY.name}
    inputs = [view for view in stored_views if view.name in read]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Feast calls on-demand views experimental
        view = OnDemandFeatureView(
            name=LOAN_REQUEST.name,
            sources=[*inputs, sources.request()],
            # Feast compares these with what the function returns; a described field is another one to it.
            schema=[Field(name=name, dtype=Float64) for name in LOAN_REQUEST.feature_names],
            mode="python",
            feature_transformation=PythonTransformation(
                udf=loan_request, udf_string=inspect.getsource(loan_request), name=loan_request.__name__
            ),
            description=LOAN_REQUEST.words,
            tags=_tags(LOAN_REQUEST),
            owner=LOAN_REQUEST.owner,
        )
    return [view]


def _fields(view: View) -> list["Field"]:
    from feast import Field
    from feast.types import Float64, String

    return [
        Field(
            name=feature.name,
            dtype=String if feature.is_text else Float64,
            description=feature.words,
            tags={"unit": feature.unit},
        )
        for feature in view.features
    ]


def _tags(view: View) -> dict[str, str]:
    return {"owner": view.owner, "version": view.version}
