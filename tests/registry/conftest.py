import pytest

from tests.registry.runs import new_home


@pytest.fixture
def settings(tmp_path):
    """Settings of a home whose registry is empty."""
    return new_home(tmp_path / "home")
