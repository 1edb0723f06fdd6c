import pytest
from pydantic import SecretStr

from finml.errors import PipelineError, SettingsError, UsageError
from pipelines.submit import compile_for_cluster, submit
from tests.pipelines.kubeflow import kubeflow

ADMISSION = "let-me-in"


@pytest.fixture
def to(settings):
    """Settings that submit to a server."""

    def make(server, **changes):
        values = {"kfp_host": server.url, "kfp_namespace": "team", "kfp_token": SecretStr(server.token)}
        return settings.model_copy(update=values | changes)

    return make


def test_a_run_is_taken_with_its_pipeline_and_arguments(to):
    with kubeflow(token=ADMISSION) as server:
        settings = to(server)
        pipeline = compile_for_cluster("training", settings, home_claim="finml-home")
        run = submit(pipeline, {"model": "credit_risk", "trials": 5}, settings)
        (taken,) = server.runs
    assert run.run_id == "run-1"
    assert run.url == f"{server.url}/#/runs/details/run-1"
    assert taken["display_name"] == "training credit_risk"
    assert taken["runtime_config"]["parameters"] == {"model": "credit_risk", "trials": 5}
    assert taken["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "training"
    assert "kubernetes" in taken["pipeline_spec"]["platform_spec"]["platforms"]
    assert server.experiments[0]["namespace"] == "team"
    assert ADMISSION not in str(taken)


def test_a_second_run_joins_the_experiment_of_the_first(to):
    with kubeflow() as server:
        settings = to(server)
        for _ in range(2):
            submit(compile_for_cluster("features", settings), {}, settings)
        assert len(server.runs) == 2
        assert len(server.experiments) == 1


def test_without_an_endpoint_the_error_says_which_setting(settings):
    with pytest.raises(SettingsError) as raised:
        submit(compile_for_cluster("features", settings), {}, settings)
    assert "FINML_KFP_HOST" in raised.value.hint


def test_an_endpoint_that_is_not_there(to):
    with kubeflow() as server:
        settings = to(server)
    with pytest.raises(PipelineError, match="does not answer") as raised:
        submit(compile_for_cluster("features", settings), {}, settings)
    assert "FINML_KFP_HOST" in raised.value.hint


def test_a_wrong_token_is_told_from_a_missing_endpoint(to):
    with kubeflow(token=ADMISSION) as server, pytest.raises(PipelineError, match="401") as raised:
        submit_features(to(server, kfp_token=SecretStr("wrong")))
    assert "FINML_KFP_TOKEN" in raised.value.hint
    assert "wrong" not in str(raised.value)


def test_a_login_page_means_that_a_token_is_wanted(to):
    with kubeflow(answers=302) as server, pytest.raises(PipelineError) as raised:
        submit_features(to(server))
    assert "FINML_KFP_TOKEN" in raised.value.hint


def test_another_kind_of_server_is_told_apart(to):
    with kubeflow(answers=404) as server, pytest.raises(PipelineError, match="404"):
        submit_features(to(server))


def test_a_namespace_of_others_is_an_authorization_error(to):
    with kubeflow(refuses_runs=403) as server, pytest.raises(PipelineError, match="'team'") as raised:
        submit_features(to(server))
    assert "FINML_KFP_NAMESPACE" in raised.value.hint


def test_what_the_endpoint_says_of_a_refused_run_is_passed_on(to):
    with kubeflow(refuses_runs=400) as server, pytest.raises(PipelineError, match="no such namespace"):
        submit_features(to(server))


def test_a_password_is_never_sent_as_an_argument(to):
    with kubeflow() as server:
        settings = to(server)
        with pytest.raises(UsageError) as raised:
            submit(
                compile_for_cluster("features", settings),
                {"ledger_url": "postgresql://bank:pass-word@db/ledger"},
                settings,
            )
        assert server.runs == []
    assert "pass-word" not in str(raised.value)
    assert "--secret" in raised.value.hint


def submit_features(settings):
    return submit(compile_for_cluster("features", settings), {}, settings)
