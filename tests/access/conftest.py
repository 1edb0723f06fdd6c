from pathlib import Path

import pytest

from finml.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an empty home, and nothing of the environment."""
    return Settings(home=tmp_path, keys_secret="", keys_file="", limits_redis_url="", auth="required")
