"""The image: what it answers, what it holds, and who it runs as."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from bentos.images import ContainerizedBento, containerize
from bentos.server import free_port, is_ready
from finml.models.credit_risk.contract import CreditRiskInput, CreditRiskOutput
from tests.oci import Engine

pytestmark = [pytest.mark.slow, pytest.mark.oci, pytest.mark.xdist_group("bento")]

MOST_BYTES = 1_100_000_000
READY_WITHIN_S = 180
# the test base image is Debian's own Python without the 30 MB that the official one adds
ABSENT = ("kfp", "torch", "mlflow", "pytest", "locust", "sklearn", "duckdb", "ibis", "mypy", "pip")


@dataclass(frozen=True)
class Container:
    name: str
    client: httpx.Client
    seconds_to_ready: float


@pytest.fixture(scope="module")
def image(bank, bento, engine: Engine, base_image: str) -> Iterator[ContainerizedBento]:
    patch = pytest.MonkeyPatch()
    for name, value in engine.environment.items():
        patch.setenv(name, value)
    built = containerize(bank.settings, bento.tag, backend=engine.command, base_image=base_image)
    patch.undo()
    yield built
    engine("rmi", "--force", built.image)


@pytest.fixture(scope="module")
def container(bank, image, engine: Engine) -> Iterator[Container]:
    port = free_port()
    mount = f"{bank.settings.home / 'ledgers'}:/var/lib/finml/ledgers:ro"
    started = time.monotonic()
    options = ("--detach", "--network", "host", "--volume", mount, "--env", "FINML_AUTH=open")
    name = engine("run", *options, image.image, "--host", "127.0.0.1", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    try:
        while not is_ready(url):
            assert time.monotonic() - started < READY_WITHIN_S, engine.logs(name)
            time.sleep(0.1)
        seconds = time.monotonic() - started
        with httpx.Client(base_url=url, timeout=30) as client:
            yield Container(name, client, seconds)
    finally:
        engine("rm", "--force", name)


def test_the_image_is_named_after_the_bento(image, bento, engine):
    assert image.image == bento.tag
    assert image.builder == engine.command
    assert engine.has(image.image)


def test_the_image_answers_what_this_process_answers(bank, container):
    inputs = [{"user_id": user, "loan_amount": 250_000.0, "term_months": 24} for user in bank.users[:32]]
    answer = container.client.post("/predict/credit_risk", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    expected = bank.scorer.predict([CreditRiskInput(**each) for each in inputs])
    assert [CreditRiskOutput.model_validate(each) for each in answer.json()] == expected


def test_the_image_names_the_exact_version(bank, container):
    (model,) = container.client.get("/models").json()["models"]
    assert (model["version"], model["manifest_sha256"]) == (
        bank.version.version,
        bank.version.manifest_sha256,
    )


def test_nothing_in_it_runs_as_root(container, engine):
    owners = engine(
        "exec", container.name, "sh", "-c", "stat -c %u /proc/[0-9]* 2>/dev/null | sort -u"
    ).split()
    assert owners == ["1034"]
    assert engine("exec", container.name, "id", "-u") == "1034"


def test_it_holds_what_serving_needs_and_no_more(container, engine, image, record_property):
    script = (
        "import importlib.util as u, sys; "
        f"print([name for name in {ABSENT!r} if u.find_spec(name)], u.find_spec('xgboost') is not None)"
    )
    assert engine("exec", container.name, "python", "-c", script) == "[] True"
    size = engine.size(image.image)
    record_property("image_megabytes", round(size / 1e6))
    record_property("seconds_to_ready", round(container.seconds_to_ready, 1))
    assert size < MOST_BYTES


def test_a_base_image_that_cannot_be_had(bank, bento, engine, monkeypatch):
    from finml.errors import PackageError

    for name, value in engine.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PackageError, match="cannot get the base image") as caught:
        containerize(bank.settings, bento.tag, backend=engine.command, base_image="localhost/no-such-image:0")
    assert "docs/containers.md" in caught.value.hint
