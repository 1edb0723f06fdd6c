"""Fixtures for tests of features."""

import pytest

from tests.features.books import Lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    return Lab()
