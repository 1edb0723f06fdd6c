"""The image in which pipeline steps run."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.oci, pytest.mark.xdist_group("component_image")]


def test_it_runs_finml_as_an_ordinary_user(component_image, engine):
    assert engine.run(component_image, "id", "-u") == "1034"
    assert "Usage: finml" in engine.run(component_image, "finml", "--help")
    assert (
        engine.run(component_image, "sh", "-c", "echo $FINML_HOME && touch $FINML_HOME/x") == "/var/lib/finml"
    )


def test_it_holds_what_steps_need(component_image, engine):
    names = ("finml", "kfp", "feast", "mlflow", "xgboost", "bentoml", "pandera", "duckdb")
    absent = ("hypothesis", "syrupy", "ruff", "grimp")
    script = (
        "import importlib.util as u; "
        f"print([n for n in {names!r} if u.find_spec(n) is None], [n for n in {absent!r} if u.find_spec(n)])"
    )
    assert engine.run(component_image, "python3", "-c", script) == "[] []"


def test_it_leaves_out_what_only_a_gpu_needs(component_image, engine):
    script = "import importlib.metadata as m; print([d.name for d in m.distributions() if 'nccl' in d.name])"
    assert engine.run(component_image, "python3", "-c", script) == "[]"


def test_it_can_package(component_image, engine):
    script = "import bentos.packaging as p; print(all((p.ROOT / name).exists() for name in p.SOURCES))"
    assert engine.run(component_image, "python3", "-c", script) == "True"
