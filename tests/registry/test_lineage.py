import pytest

from finml.errors import RegistryError
from finml.registry.lineage import Trace, trace
from finml.registry.promotion import rollback
from finml.registry.provenance import library_versions
from tests.registry.runs import MODEL, registered


def test_a_version_leads_back_to_everything_it_came_from(settings):
    registered(settings)
    version = registered(settings)
    rollback(settings, MODEL, who="ana", why="complaints")
    line = trace(settings, "credit_risk@2")
    assert line.version.spec == "credit_risk@2"
    assert line.run.run_id == version.run_id
    assert (line.run.experiment, line.run.status) == (MODEL, "FINISHED")
    assert line.run.started_at <= line.run.ended_at
    assert line.version.pipeline_run == "run-1"
    assert line.version.data_hash == "d" * 64
    assert (line.version.feature_service, line.version.feature_service_version) == ("credit_risk_v1", "1")
    assert line.libraries == library_versions()
    assert line.verdict.approved
    assert [(event.action, event.who) for event in line.promotions] == [
        ("promote", "gate"),
        ("rollback", "ana"),
    ]
    assert Trace.model_validate_json(line.model_dump_json()) == line


def test_only_what_concerns_the_version_is_in_its_trace(settings):
    for _ in range(3):
        registered(settings)
    assert [event.to_version for event in trace(settings, "credit_risk@1").promotions] == [1, 2]


def test_what_is_not_registered_has_no_trace(settings):
    with pytest.raises(RegistryError, match="no model"):
        trace(settings, "credit_risk@2")
