"""What a Bento holds, as a file."""

import json

import pytest

from bentos.apis import released_apis
from bentos.build import labels_of
from bentos.release import GateFigure, Release, ReleasedModel
from finml.errors import ServeError

MODEL = ReleasedModel(
    name="credit_risk",
    version=7,
    manifest_sha256="a" * 64,
    feature_service="credit_risk_v1",
    run_id="run",
    git_commit="c" * 40,
    data_hash="d" * 64,
    gate=[GateFigure(name="auc", value=0.75, limit=0.65, passed=True, words="auc is 0.75, at least 0.65")],
)
RELEASE = Release(project="finml_0123456789", models=[MODEL])


def test_a_release_survives_its_file(tmp_path):
    RELEASE.write(tmp_path / "serving")
    assert Release.read(tmp_path / "serving") == RELEASE


def test_names():
    assert (MODEL.spec, MODEL.tag) == ("credit_risk@7", "credit_risk:7")


def test_a_model_is_found_by_name():
    assert RELEASE.model("credit_risk") == MODEL
    with pytest.raises(ServeError, match="holds no model intent"):
        RELEASE.model("intent")


def test_a_model_has_variants_and_its_champion_goes_by_its_name():
    others = [
        MODEL.model_copy(update={"alias": "challenger", "version": 8}),
        MODEL.model_copy(update={"alias": "previous", "version": 8}),
        MODEL.model_copy(update={"name": "intent", "version": 1}),
    ]
    release = Release(project="p", models=[MODEL, *others])
    variants = {alias: model.spec for alias, model in release.variants("credit_risk").items()}
    assert variants == {
        "champion": "credit_risk@7",
        "challenger": "credit_risk@8",
        "previous": "credit_risk@8",
    }
    assert release.model("credit_risk") == MODEL
    assert release.variants("spending") == {}
    assert release.names == ["credit_risk", "intent"]
    assert release.tags == ["credit_risk:7", "credit_risk:8", "intent:1"]
    assert [api.__name__ for api in released_apis(release)] == ["CreditRiskApi", "IntentApi"]


def test_labels_name_every_version():
    release = Release(
        project="p", models=[MODEL, MODEL.model_copy(update={"alias": "previous", "version": 6})]
    )
    labels = labels_of(release)
    assert (labels["credit_risk.version"], labels["credit_risk.previous.version"]) == ("7", "6")
    assert labels["credit_risk.previous.manifest_sha256"] == "a" * 64


def test_a_release_from_before_variants_holds_champions(tmp_path):
    fields = MODEL.model_dump(mode="json", exclude={"alias"})
    (tmp_path / "release.json").write_text(json.dumps({"project": "p", "models": [fields]}))
    assert Release.read(tmp_path).model("credit_risk") == MODEL


def test_a_checkout_is_no_bento():
    with pytest.raises(ServeError, match="no release in") as caught:
        Release.read()
    assert "finml run release" in caught.value.hint


def test_a_spoilt_release_is_refused(tmp_path):
    (tmp_path / "release.json").write_text("{}")
    with pytest.raises(ServeError, match="no release in"):
        Release.read(tmp_path)
