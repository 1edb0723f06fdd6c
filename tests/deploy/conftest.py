"""Container fixtures."""

from tests.oci import base_image, component_image, engine

__all__ = ["base_image", "component_image", "engine"]
