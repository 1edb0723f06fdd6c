"""One model's API class as a service in this process, as a Bento of that model alone would run it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bentoml
import httpx
import pytest
from starlette.testclient import TestClient

from bentos import release
from bentos.base import ModelApi
from bentos.fronted import OPTIONS, FrontedApi, put_edge_before
from bentos.release import FEATURES_FOLDER, MODEL_FILES, Release, ReleasedModel
from finml.registry.manifest import write_manifest
from finml.settings import get_settings

VERSION = 4


@dataclass(frozen=True)
class Served:
    """A running service.

    Attributes:
        model: name of its one model.
        client: what asks it.
        service: the service, of which `inner` is the class.
        scorer: the model, whose `features` may be replaced.
        files: the model's files, as stored.
    """

    model: str
    client: TestClient
    service: Any
    scorer: Any
    files: Path

    def ask(self, *inputs: Any, action: str = "predict") -> httpx.Response:
        """The answer to one request."""
        return self.client.post(f"/{action}/{self.model}", json={"inputs": list(inputs)})

    def send(self, body: bytes) -> httpx.Response:
        """The answer to a body that need not be JSON."""
        headers = {"content-type": "application/json"}
        return self.client.post(f"/predict/{self.model}", content=body, headers=headers)

    def works(self) -> bool:
        """Whether the model can read what it needs and score; looked at anew every second."""
        return self.client.get("/healthz").json()["checks"][f"model:{self.model}"]["ok"]

    @contextmanager
    def changed(self, name: str) -> Iterator[None]:
        """While one file of the stored model is longer by a byte."""
        file = self.files / name
        before = file.read_bytes()
        file.write_bytes(before + b"\0")
        try:
            yield
        finally:
            file.write_bytes(before)


@contextmanager
def alone(
    api: type[ModelApi], trained: Path, home: Path, *, features: str = "", timeout_s: float = 10.0
) -> Iterator[Served]:
    """A service of one model, open to everybody; only one at a time.

    Args:
        api: the model's API class.
        trained: the folder that training wrote.
        home: an empty folder, for `FINML_HOME`, BentoML's models and the release.
        features: feature service of the model. Its definitions are an empty folder: a store
            that is not there.
        timeout_s: see `Edge`.
    """
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore

    serving, name, contract = home / "serving", api.serving.model, api.serving.input
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "SERVING", serving)
        for key, value in settings_of(home).items():
            patch.setenv(key, value)
        if hasattr(contract, "served"):
            # what the last model of this process takes is no matter of the next one's
            patch.setattr(contract, "served", contract.served)
        get_settings.cache_clear()
        (home / "models").mkdir()
        BentoMLContainer.model_store.set(ModelStore(home / "models"))
        try:
            files = stored(name, trained, serving, features)
            service = fronted(api, timeout_s)
            with TestClient(service.to_asgi(), raise_server_exceptions=False) as client:
                yield Served(name, client, service, bentoml.get_current_service().scorer(name), files)
        finally:
            BentoMLContainer.model_store.reset()
            get_settings.cache_clear()


def settings_of(home: Path) -> dict[str, str]:
    """Nobody is asked for a key or held to a rate, and nothing is logged: others test that."""
    return {
        "FINML_HOME": str(home),
        "FINML_AUTH": "open",
        "FINML_RATE_PER_S": "1e6",
        "FINML_RATE_BURST": "1000000",
        "FINML_DAILY_QUOTA": "1000000000",
        "FINML_INFERENCE_LOG": "off",
        "FINML_LOG_LEVEL": "WARNING",
    }


def stored(name: str, trained: Path, serving: Path, features: str) -> Path:
    """Store a model and write its release; where its files are."""
    with bentoml.models.create(f"{name}:{VERSION}") as model:
        files = Path(model.path_of(MODEL_FILES))
        shutil.copytree(trained, files)
        digest = write_manifest(files)
    released = ReleasedModel(
        name=name,
        version=VERSION,
        manifest_sha256=digest,
        feature_service=features,
        run_id="r",
        git_commit="c",
        data_hash="d",
        gate=[],
    )
    Release(project="test", models=[released]).write(serving)
    if features:
        (serving / FEATURES_FOLDER).mkdir()
    return Path(bentoml.models.get(released.tag).path_of(MODEL_FILES))


def fronted(api: type[ModelApi], timeout_s: float) -> Any:
    """The service with its edge."""

    @bentoml.service(name=f"{api.serving.model}_alone", **OPTIONS)
    class Alone(FrontedApi, api):
        """One model and nothing else."""

    put_edge_before(Alone, timeout_s=timeout_s)
    return Alone
