"""What all tests share."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers"]

# how long an example takes says more of the machine than of the code
settings.register_profile("finml", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("finml")


@pytest.fixture(scope="module", autouse=True)
def logs_as_before() -> Iterator[None]:
    """Give the next module the logging that this one found: services in this process set their own."""
    found = structlog.get_config()
    yield
    structlog.configure(**found)
