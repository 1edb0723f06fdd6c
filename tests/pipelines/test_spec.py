import re

import pytest
import yaml
from kfp import components
from kfp.client.client import _extract_pipeline_yaml
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from finml.errors import UsageError
from pipelines.spec import PIPELINES, compile_pipeline, for_kubernetes, for_this_machine
from pipelines.submit import compile_for_cluster

IN_CLUSTER = {"home_claim": "finml-home", "secret": "finml"}
STEPS = {
    "features": ["ingest", "build-features", "materialize"],
    "training": [
        "ingest",
        "build-features",
        "materialize",
        "training-set",
        "train",
        "evaluate",
        "gate",
        "register",
    ],
    "training_from_file": ["take-file", "train", "evaluate", "gate", "register"],
    "release": ["package", "containerize"],
}


class YamlFile(SingleFileSnapshotExtension):
    """One readable file a pipeline."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"


def normalised(text):
    """Compiled YAML without the version of the compiler."""
    return re.sub(r"^sdkVersion: .*$", "sdkVersion: any", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_compiled_changes_only_on_purpose(name, settings, snapshot):
    compiled = compile_for_cluster(name, settings, **IN_CLUSTER)
    assert normalised(compiled.to_yaml()) == snapshot(extension_class=YamlFile)


@pytest.mark.parametrize("name", PIPELINES)
def test_steps_come_in_an_order_in_which_they_can_run(name):
    assert list(compile_pipeline(name, "image:1").titles) == STEPS[name]


@pytest.mark.parametrize("name", PIPELINES)
def test_every_step_asks_for_resources_and_is_never_cached(name):
    spec = compile_pipeline(name, "image:1").spec
    for executor in spec["deploymentSpec"]["executors"].values():
        assert {"resourceCpuRequest", "resourceMemoryRequest"} <= set(executor["container"]["resources"])
    tasks = [
        task
        for part in [spec["root"], *spec["components"].values()]
        for task in part.get("dag", {}).get("tasks", {}).values()
    ]
    assert not [task for task in tasks if task.get("cachingOptions", {}).get("enableCache")]


def test_image_and_variables_reach_every_step():
    spec = compile_pipeline("training", "registry.example/finml:7", {"FINML_SEED": "3"}).spec
    for executor in spec["deploymentSpec"]["executors"].values():
        assert executor["container"]["image"] == "registry.example/finml:7"
        assert executor["container"]["env"] == [{"name": "FINML_SEED", "value": "3"}]


def test_a_local_run_has_its_own_id_and_no_retries():
    compiled = compile_pipeline("training", "image:1")
    local = for_this_machine(compiled, "run-7")
    assert "retryPolicy" in compiled.to_yaml()
    assert "pipeline_job_uuid" in compiled.to_yaml()
    assert "retryPolicy" not in local.to_yaml()
    assert "pipeline_job_uuid" not in local.to_yaml()
    assert "run-7" in local.to_yaml()


def test_only_a_cluster_s_pipeline_has_claims_and_secrets(tmp_path):
    compiled = compile_pipeline("features", "image:1")
    keys = {"FINML_REDIS_URL": "redis_url"}
    neither = for_kubernetes(compiled, **dict.fromkeys(IN_CLUSTER, ""), secret_variables=keys)
    assert neither.to_yaml() == compiled.to_yaml()
    package = tmp_path / "features.yaml"
    package.write_text(for_kubernetes(compiled, **IN_CLUSTER, secret_variables=keys).to_yaml())
    platform = _extract_pipeline_yaml(str(package)).to_dict()["platform_spec"]
    for step in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        assert step["pvcMount"][0]["mountPath"] == "/finml"
        assert step["secretAsEnv"][0]["keyToEnv"] == [{"secretKey": "redis_url", "envVar": "FINML_REDIS_URL"}]


@pytest.mark.parametrize("name", PIPELINES)
def test_kfp_can_read_what_was_compiled(name):
    loaded = components.load_component_from_text(compile_pipeline(name, "image:1").to_yaml())
    assert loaded.name == name.replace("_", "-")


@pytest.mark.parametrize("name", PIPELINES)
def test_the_ui_can_show_what_each_input_and_output_is(name):
    spec = compile_pipeline(name, "image:1").spec
    silent = [
        f"{step}: {item}"
        for step, component in spec["components"].items()
        if "executorLabel" in component
        for side in ("inputDefinitions", "outputDefinitions")
        for kind in ("artifacts", "parameters")
        for item, definition in component.get(side, {}).get(kind, {}).items()
        if not definition.get("description")
    ]
    assert silent == []


def test_the_header_tells_of_the_inputs():
    text = compile_pipeline("training", "image:1").to_yaml()
    assert text.startswith("# PIPELINE DEFINITION\n# Name: training\n")
    assert yaml.safe_load(text)["pipelineInfo"]["description"]


def test_an_unknown_pipeline_is_a_wrong_usage():
    with pytest.raises(UsageError, match="nope"):
        compile_pipeline("nope", "image:1")
