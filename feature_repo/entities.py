"""What features are about."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feast import Entity


def user() -> "Entity":
    """The bank's customer."""
    from feast import Entity, ValueType

    return Entity(
        name="user",
        join_keys=["user_id"],
        value_type=ValueType.STRING,
        description="a customer of the bank",
    )
