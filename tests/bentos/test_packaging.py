"""What a Bento holds, and what is not packaged."""

from pathlib import Path

import pytest
import yaml

import bentos.packaging
from bentos.packaging import export_features, package
from bentos.release import MODEL_FILES, Release
from feature_repo import definitions
from finml.errors import (
    FeatureError,
    IntegrityError,
    NotApprovedError,
    PackageError,
    RegistryError,
    UsageError,
)
from finml.registry.manifest import check_manifest
from finml.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bento")]


def test_a_bento_holds_the_version_by_number_and_hash(bank, bento):
    described = yaml.safe_load((bento.path / "bento.yaml").read_text())
    assert [model["tag"] for model in described["models"]] == [bank.version.spec.replace("@", ":")]
    assert described["labels"]["credit_risk.manifest_sha256"] == bank.version.manifest_sha256
    assert Release.read(bento.path / "src" / "serving") == bento.release
    assert [model.spec for model in bento.release.models] == [bank.version.spec]
    stored = bank.settings.bento_home / "models" / "credit_risk" / str(bank.version.version) / MODEL_FILES
    assert check_manifest(stored) == bank.version.manifest_sha256


def test_a_bento_holds_what_serving_needs_and_no_more(bank, bento):
    files = {
        path.relative_to(bento.path / "src") for path in (bento.path / "src").rglob("*") if path.is_file()
    }
    assert {path.parts[0] for path in files} == {"bentofile.yaml", "bentos", "finml", "serving"}
    assert not {Path("bentos", f"{name}.py") for name in ("build", "images", "packaging", "server")} & files
    requirements = (bento.path / "env/python/requirements.txt").read_text()
    names = {line.partition("==")[0].strip().lower() for line in requirements.splitlines() if "==" in line}
    assert {"bentoml", "feast", "xgboost-cpu"} <= names
    assert not {"kfp", "torch", "mlflow", "locust", "pytest", "scikit-learn", "duckdb", "xgboost"} & names


def test_no_path_of_this_machine_is_told(bank, bento):
    for name in ("release.json", "features/feature_store.yaml"):
        assert str(bank.settings.home) not in (bento.path / "src" / "serving" / name).read_text()


def test_a_version_that_is_packaged_again_is_kept(bank, bento):
    again = package(bank.settings, [bank.version], bank.repo)
    assert again.release == bento.release
    assert again.tag != bento.tag


def test_one_version_in_two_variants_is_stored_once(bank, bento):
    again = package(
        bank.settings, [bank.version], bank.repo, challengers=[bank.version], previous=[bank.version]
    )
    variants = again.release.variants("credit_risk")
    assert {alias: model.spec for alias, model in variants.items()} == dict.fromkeys(
        ("champion", "challenger", "previous"), bank.version.spec
    )
    described = yaml.safe_load((again.path / "bento.yaml").read_text())
    assert [model["tag"] for model in described["models"]] == [bank.version.spec.replace("@", ":")]
    assert described["labels"]["credit_risk.challenger.manifest_sha256"] == bank.version.manifest_sha256
    assert "| credit_risk | previous |" in (again.path / "README.md").read_text()


@pytest.mark.parametrize(
    ("champions", "others", "words"),
    [
        ("", "credit_risk", "cannot package nothing as champion"),
        ("credit_risk", "credit_risk credit_risk", "as challenger"),
        ("credit_risk", "intent", "as challenger"),
    ],
)
def test_other_variants_need_a_champion(bank, champions, others, words):
    def versions(names):
        return [bank.version.model_copy(update={"name": name}) for name in names.split()]

    with pytest.raises(UsageError, match=words):
        package(bank.settings, versions(champions), bank.repo, challengers=versions(others))


def test_a_challenger_needs_an_approving_verdict(bank):
    unknown = bank.version.model_copy(update={"version": bank.version.version + 100})
    with pytest.raises(RegistryError, match="has no version"):
        package(bank.settings, [bank.version], bank.repo, challengers=[unknown])


@pytest.mark.parametrize("count", [0, 2])
def test_one_version_of_each_model(bank, count):
    with pytest.raises(UsageError, match="cannot package"):
        package(bank.settings, [bank.version] * count, bank.repo)


@pytest.fixture
def artifacts(bank) -> Path:
    """The registered version's run in MLflow's local store."""
    return bank.settings.home / "mlflow" / "artifacts" / "credit_risk" / bank.version.run_id / "artifacts"


def test_a_changed_model_file_is_refused(bank, artifacts):
    (calibration,) = artifacts.rglob("calibration.json")
    before = calibration.read_text()
    calibration.write_text(before.replace("}", " }"))
    try:
        with pytest.raises(IntegrityError, match=r"calibration\.json was changed"):
            package(bank.settings, [bank.version], bank.repo)
    finally:
        calibration.write_text(before)


def test_a_changed_evaluation_is_refused(bank, artifacts):
    (evaluation,) = artifacts.rglob("evaluation.json")
    before = evaluation.read_text()
    evaluation.write_text(before.replace('"data_hash":', '"data_hash": "forged", "was":'))
    try:
        with pytest.raises((IntegrityError, NotApprovedError)):
            package(bank.settings, [bank.version], bank.repo)
    finally:
        evaluation.write_text(before)


def test_other_files_under_the_same_number_are_refused(bank, bento):
    stored = bank.settings.bento_home / "models" / "credit_risk" / str(bank.version.version) / MODEL_FILES
    before = (stored / "calibration.json").read_text()
    (stored / "calibration.json").write_text("{}")
    try:
        with pytest.raises(PackageError, match=r"calibration\.json was changed"):
            package(bank.settings, [bank.version], bank.repo)
    finally:
        (stored / "calibration.json").write_text(before)


def test_versions_of_files_need_no_features_and_those_of_a_ledger_do(bank, tmp_path):
    elsewhere = Settings(home=tmp_path / "home", _env_file=None)
    repo = definitions(elsewhere)
    of_a_file = bank.version.model_copy(update={"data_file": "loans.csv"})
    export_features(elsewhere, [of_a_file], repo, tmp_path / "features")
    assert not (tmp_path / "features").exists()
    export_features(bank.settings, [of_a_file], bank.repo, tmp_path / "features")
    assert (tmp_path / "features" / "registry.db").is_file()
    with pytest.raises(FeatureError, match="no feature service is registered"):
        export_features(elsewhere, [bank.version, of_a_file], repo, tmp_path / "none")


def test_sources_that_are_not_there(bank, tmp_path, monkeypatch):
    monkeypatch.setattr(bentos.packaging, "ROOT", tmp_path)
    with pytest.raises(PackageError, match="is missing"):
        package(bank.settings, [bank.version], bank.repo)
