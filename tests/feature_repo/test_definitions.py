"""What the Feast repository declares."""

import subprocess
import sys
from pathlib import Path

import pytest
from feast.types import String

import feature_repo
from finml.errors import SettingsError
from finml.features.declarations import SERVICES, STORED_VIEWS, VIEWS
from finml.features.store import configuration
from finml.settings import Settings

REDIS = "redis://user:p$w@cache:6379/2"
POSTGRES = "postgresql://finml:p%3A%24w@db:5433/features"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, ledger_url=str(tmp_path / "ledger"))


def test_views_and_services_are_those_that_are_declared(settings: Settings) -> None:
    by_name = {thing.name: thing for thing in feature_repo.definitions(settings).objects}
    assert set(by_name) == {"user", *VIEWS, *SERVICES}
    for view in STORED_VIEWS:
        made = by_name[view.name]
        assert tuple(field.name for field in made.features) == view.feature_names
        assert {field.name for field in made.features if field.dtype == String} == {
            feature.name for feature in view.features if feature.unit == "json"
        }
        assert made.ttl == view.ttl
        assert made.tags == {"owner": view.owner, "version": view.version}
        assert made.batch_source.created_timestamp_column == "created_timestamp"
    service = by_name["credit_risk_v1"]
    assert [projection.name for projection in service.feature_view_projections] == list(
        SERVICES["credit_risk_v1"]
    )
    assert service.tags == {"owner": "risk-platform", "version": "1"}
    assert by_name["anomaly_v1"].tags == {"owner": "financial-crime", "version": "1"}


def test_definitions_can_be_made_more_than_once_and_make_nothing_on_disk(settings: Settings) -> None:
    feature_repo.definitions(settings)
    feature_repo.definitions(settings)
    assert list(settings.home.iterdir()) == []


def test_sources_follow_the_settings(settings: Settings) -> None:
    def source(chosen: Settings) -> object:
        return next(
            thing.batch_source
            for thing in feature_repo.definitions(chosen).objects
            if thing.name == "credit_history"
        )

    assert source(settings).path.endswith("features/current/credit_history")
    server = settings.model_copy(update={"offline_url": POSTGRES})
    assert source(server).get_table_query_string() == f"{settings.workspace.project}.credit_history"


def test_each_section_comes_from_the_file_that_the_settings_choose(settings: Settings) -> None:
    folder = feature_repo.definitions(settings).folder
    local = configuration(settings, folder)
    assert local["online_store"]["path"] == str(settings.workspace.feast / "online.db")
    assert local["offline_store"] == {"type": "duckdb"}
    production = configuration(
        settings.model_copy(update={"redis_url": REDIS, "offline_url": POSTGRES}), folder
    )
    assert production["project"] == settings.workspace.project
    assert production["online_store"]["connection_string"] == REDIS
    assert production["offline_store"] == {
        "type": "postgres",
        "host": "db",
        "port": 5433,
        "database": "features",
        "db_schema": settings.workspace.project,
        "user": "finml",
        "password": "p:$w",
        "sslmode": "prefer",
    }
    assert production["registry"]["path"] == "postgresql+psycopg://finml:p%3A%24w@db:5433/features"
    assert local["registry"]["path"] == str(settings.workspace.feast / "registry.db")


def test_a_variable_that_no_setting_fills_is_named(settings: Settings, tmp_path: Path) -> None:
    folder = feature_repo.definitions(settings).folder
    for name in ("feature_store.yaml", "feature_store.production.yaml"):
        text = (folder / name).read_text().replace("${FINML_FEAST_PROJECT}", "${FINML_NOT_THERE}")
        (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match="FINML_NOT_THERE"):
        configuration(settings, tmp_path)


def test_importing_the_repository_does_not_import_feast() -> None:
    program = "import sys, feature_repo; print([m for m in ('feast', 'ibis', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
