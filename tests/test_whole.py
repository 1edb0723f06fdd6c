"""The whole platform once: `make run` on a fresh home with every model, and what the Bento then answers."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bentos import release
from bentos.apis import api
from bentos.base import ModelApi
from bentos.release import FEATURES_FOLDER, Release
from bentos.server import newest_bento, running
from finml.access.temporary import temporary_key
from finml.ledger.warehouse import connect
from finml.models.base import get_model, model_names
from finml.settings import Settings
from tests.pipelines.conftest import Outcome, at_home

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("whole")]

ROWS = 100
A_REQUEST = 25


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("whole") / "home"


@pytest.fixture(scope="module")
def started(home) -> Outcome:
    """What the quick start ends with on a fresh home."""
    with at_home(home):
        command = [Path(sys.executable).with_name("finml"), "quickstart", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def settings(home, started) -> Settings:
    assert started.code == 0, started.stderr[-4000:]
    return Settings(home=home, _env_file=None)


@pytest.fixture(scope="module")
def users(settings) -> list[str]:
    return connect(settings.workspace).table("users").user_id.execute().sort_values().tolist()


@pytest.fixture(scope="module")
def service(settings) -> Iterator[httpx.Client]:
    with (
        temporary_key(settings, "test") as key,
        running(settings) as url,
        httpx.Client(base_url=url, timeout=60, headers={"X-API-Key": key}) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def in_process(settings) -> Iterator[dict[str, ModelApi]]:
    """Each model's API class in this process, over the files and the definitions of the Bento."""
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore

    bento = settings.bento_home / "bentos" / newest_bento(settings).replace(":", "/")
    with at_home(settings.home), pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "SERVING", bento / "src" / "serving")
        BentoMLContainer.model_store.set(ModelStore(settings.bento_home / "models"))
        yield {model.name: api(model.name)() for model in Release.read().models}
        BentoMLContainer.model_store.reset()


def inputs(name: str, users: list[str]) -> list[dict[str, Any]]:
    rng = random.Random(11)  # noqa: S311  # no secret
    return [get_model(name).example(rng, users) for _ in range(ROWS)]


def answers_here(instance: ModelApi, name: str, action: str, asked: list[dict[str, Any]]) -> list[Any]:
    """Answers of an API class, called without HTTP."""
    served = instance.models[name]
    parsed = [served.serving.input.model_validate(one) for one in asked]
    answers = served.variants["champion"].scorer.answers(parsed, explain=action == "explain")
    return [json.loads(answer.output.model_dump_json()) for answer in answers]


def rounded(answer: Any) -> Any:
    """An answer without the last digits, which may differ by what else was computed with it."""
    if isinstance(answer, float):
        return round(answer, 4) + 0.0
    if isinstance(answer, dict):
        return {name: rounded(value) for name, value in answer.items()}
    return [rounded(value) for value in answer] if isinstance(answer, list) else answer


def test_every_model_is_champion_and_has_answered(started, settings):
    models = started.document["models"]
    assert sorted(models) == list(model_names())
    for name, model in models.items():
        assert model["version"] == f"{name}@1"
        assert all(check["passed"] for check in model["gate"])
        (answer,) = model["answer"]
        assert answer["model_version"] == f"{name}@1"


def test_the_progress_is_told_step_by_step(started, settings):
    for name in model_names():
        assert f"training {name}" in started.stderr
    assert started.stderr.count("Train ") == len(model_names())


def test_everything_is_served_and_ready(service):
    assert service.get("/readyz").status_code == 200
    assert [model["name"] for model in service.get("/models").json()["models"]] == list(model_names())
    routes = service.get("/docs.json").json()["paths"]
    for name in model_names():
        assert {f"/predict/{name}", f"/explain/{name}"} <= set(routes)


@pytest.mark.parametrize("action", ["predict", "explain"])
@pytest.mark.parametrize("name", model_names())
def test_the_bento_answers_as_the_model_in_this_process(service, in_process, users, name, action):
    asked = inputs(name, users)[: ROWS if action == "predict" else A_REQUEST]
    for first in range(0, len(asked), A_REQUEST):
        part = asked[first : first + A_REQUEST]
        answer = service.post(f"/{action}/{name}", json={"inputs": part})
        assert answer.status_code == 200, answer.text
        assert rounded(answer.json()) == rounded(answers_here(in_process[name], name, action, part))


@pytest.mark.parametrize("name", model_names())
def test_a_champion_is_measured_on_a_file(home, settings, started, name):
    run = Path(started.document["models"][name]["report"]).parent
    (rows,) = run.glob("*/training-set/held_out_rows")
    file = run / "held-out.parquet"
    file.write_bytes(rows.read_bytes())
    with at_home(home):
        command = [Path(sys.executable).with_name("finml"), "evaluate", f"{name}@champion", "--json"]
        done = subprocess.run([*command, "--data", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["version"] == f"{name}@1"
    assert found["intervals"]


@pytest.mark.parametrize("name", model_names())
def test_an_answer_does_not_depend_on_its_company(service, users, name):
    asked = inputs(name, users)[:8]
    together = service.post(f"/predict/{name}", json={"inputs": asked}).json()
    alone = [service.post(f"/predict/{name}", json={"inputs": [one]}).json()[0] for one in asked]
    assert rounded(together) == rounded(alone)


def test_without_its_key_nobody_is_answered(service):
    body = {"inputs": [{"text": "what is my balance?"}]}
    answer = httpx.post(service.base_url.join("/predict/intent"), json=body)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_definitions_of_the_features_travel_in_the_bento(settings):
    bento = settings.bento_home / "bentos" / newest_bento(settings).replace(":", "/")
    assert sorted(path.name for path in (bento / "src" / "serving" / FEATURES_FOLDER).iterdir()) == [
        "feature_store.yaml",
        "registry.db",
    ]
