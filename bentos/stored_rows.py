"""Stored features of a batch, of which not every input has any: what the models that read features share."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from finml.features.online import FeatureRow

RequestRow = Mapping[str, float | None]


class FeatureReader(Protocol):
    """What reads the features of a batch of users: `bentos.features.ServedFeatures`, in the service."""

    def read(
        self, user_ids: Sequence[str], request_rows: Sequence[RequestRow] | None = None
    ) -> Sequence["FeatureRow"]:
        """One row a user, in the same order.

        Raises:
            FeatureError: they cannot be read.
        """
        ...

    def cached(self, user_ids: Sequence[str]) -> bool:
        """Whether `read` would ask nobody."""
        ...


def stored_rows(
    features: FeatureReader, users: Sequence[str | None], told: Sequence[RequestRow] | None = None
) -> list["FeatureRow | None"]:
    """Stored features by one call, at the places of their inputs.

    Args:
        features: what reads them.
        users: of each input whose features are wanted; `None` where none are, and none are read.
        told: of each input what its request tells; `None` where no feature is computed from that.

    Raises:
        FeatureError: they cannot be read.
    """
    places = [place for place, user in enumerate(users) if user is not None]
    found: list[FeatureRow | None] = [None] * len(users)
    if places:
        asked = [user for user in users if user is not None]
        read = features.read(asked, None if told is None else [told[place] for place in places])
        for place, row in zip(places, read, strict=True):
            found[place] = row
    return found


def cached(features: FeatureReader, users: Sequence[str | None]) -> bool:
    """Whether `stored_rows` would ask nobody for these."""
    asked = [user for user in users if user is not None]
    return not asked or features.cached(asked)
