"""A small bank with a trained and registered model, packaged once, and the service that it becomes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bentos.credit_risk import CreditRiskScorer
from bentos.packaging import PackagedBento, package
from bentos.server import running
from feature_repo import definitions
from finml.access.key_store import KeyStore
from finml.access.keys import NewKey
from finml.features.build import build
from finml.features.materialize import materialize
from finml.features.online import OnlineFeatures
from finml.features.store import FeatureRepo, apply, feature_store, training_set
from finml.ledger.ingest import ingest
from finml.ledger.synthetic import generate
from finml.ledger.warehouse import connect, export
from finml.ledger.writer import open_writer
from finml.models.base import TrainOptions, get_model
from finml.registry.gate import Gate, judge
from finml.registry.provenance import Lineage
from finml.registry.registration import register
from finml.registry.tracking import log_evaluation, log_training, log_verdict
from finml.registry.versions import Version
from finml.settings import Settings
from tests.bentos.edges import Desk
from tests.bentos.misbehaving import MISBEHAVING
from tests.oci import base_image, engine

__all__ = ["base_image", "engine"]

# any model of this few rows will do: what is tested here is not its quality
GATE = Gate.model_validate({"approval": "automatic", "thresholds": [{"metric": "auc", "min": 0.0}]})


@dataclass(frozen=True)
class Bank:
    """A home with a ledger whose features are online, and a registered model.

    Attributes:
        users: ids of users with features.
        scorer: the model in this process, over the same online store as the service.
    """

    settings: Settings
    repo: FeatureRepo
    version: Version
    data_hash: str
    users: list[str]
    scorer: CreditRiskScorer


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    folder = tmp_path_factory.mktemp("bank")
    # what the guard does is tested by itself; here nobody is asked for a key or held to a rate
    with pytest.MonkeyPatch.context() as patch:
        # a service of another module may be up, and what it is told is no matter of this bank's
        for name in [name for name in os.environ if name.startswith("FINML_")]:
            patch.delenv(name)
        settings = Settings(
            home=folder / "home", auth="open", rate_per_s=1e6, rate_burst=10**6, daily_quota=10**9
        )
    with open_writer(settings.ledger, origin="synthetic") as writer:
        generate(writer, users=600, months=10, seed=7)
    ingest(settings.ledger, settings.workspace, quarantine_limit=0.05)
    data_hash = export(settings.workspace, folder / "tables")
    build(folder / "tables", settings, data_hash=data_hash)
    repo = definitions(settings)
    apply(settings, repo)
    materialize(settings, repo)
    version = train_and_register(settings, repo, folder / "model", data_hash)
    return Bank(
        settings=settings,
        repo=repo,
        version=version,
        data_hash=data_hash,
        users=connect(settings.workspace).table("users").user_id.execute().sort_values().tolist(),
        scorer=CreditRiskScorer(
            get_model("credit_risk").load(folder / "model"),
            OnlineFeatures(feature_store(settings, repo), version.feature_service),
            version.spec,
        ),
    )


def train_and_register(
    settings: Settings, repo: FeatureRepo, folder: Path, data_hash: str, *, seed: int = 7
) -> Version:
    model = get_model("credit_risk")
    rows = training_set(settings, repo, model.feature_service, model.spine(folder.parent / "tables"))
    kept, held_out = model.split(model.training_frame(rows))
    folder.mkdir()
    result = model.train(kept, folder, TrainOptions(seed=seed))
    lineage = Lineage.collect(
        settings,
        data_hash=data_hash,
        feature_service=model.feature_service,
        feature_service_version="1",
        pipeline_run="test",
    )
    run_id = log_training(settings, model.name, result, lineage)
    found = model.evaluate(model.load(folder), held_out, champion=None, seed=settings.seed)
    log_evaluation(settings, run_id, found, "<html></html>", "# Card")
    verdict = judge(GATE, found)
    log_verdict(settings, run_id, GATE, verdict)
    return register(settings, run_id, model.name, verdict)


@pytest.fixture(scope="session")
def bento(bank: Bank) -> PackagedBento:
    return package(bank.settings, [bank.version], bank.repo)


@pytest.fixture(scope="session")
def other_version(bank: Bank) -> Version:
    """Another version of the same model, which no alias names."""
    folder = bank.settings.home.parent
    return train_and_register(bank.settings, bank.repo, folder / "other", bank.data_hash, seed=8)


@pytest.fixture(scope="session")
def bento_of_three(bank: Bank, other_version: Version) -> PackagedBento:
    """A Bento that holds a challenger and a previous champion too."""
    others = [other_version]
    return package(bank.settings, [bank.version], bank.repo, challengers=others, previous=others)


@pytest.fixture(scope="session")
def service(bank: Bank, bento: PackagedBento) -> Iterator[httpx.Client]:
    """A client of the real service."""
    with running(bank.settings, tag=bento.tag) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a service that is open to everybody and logs no predictions."""
    return Settings(home=tmp_path, auth="open", inference_log="off")


@pytest.fixture
def desk(settings: Settings) -> Desk:
    """An edge with close limits before a model and before what misbehaves."""
    return Desk(settings, app=MISBEHAVING, max_body_bytes=200, timeout_s=0.3)


@pytest.fixture
def keyed(tmp_path: Path) -> Settings:
    """Of a service that asks for keys."""
    return Settings(home=tmp_path, auth="required", rate_per_s=1, rate_burst=1000, _env_file=None)


@pytest.fixture
def made(keyed: Settings) -> NewKey:
    """A key of that service."""
    return KeyStore(keyed).create("a shop", ["credit_risk:predict"], daily_quota=10)
