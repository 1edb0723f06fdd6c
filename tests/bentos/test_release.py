"""What a Bento holds, as a file."""

import pytest

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


def test_a_checkout_is_no_bento():
    with pytest.raises(ServeError, match="no release in") as caught:
        Release.read()
    assert "finml run release" in caught.value.hint


def test_a_spoilt_release_is_refused(tmp_path):
    (tmp_path / "release.json").write_text("{}")
    with pytest.raises(ServeError, match="no release in"):
        Release.read(tmp_path)
