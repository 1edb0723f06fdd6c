"""From a verdict to a version, and from the champion to a Bento: `register`, `package`, `containerize`."""

import json
from pathlib import Path

import pytest
from kfp import dsl

from components.champion import beside, champion_of, champions
from components.containerize import containerize
from components.package import package
from components.register import register
from finml.errors import NotApprovedError
from finml.models.base import get_model
from finml.registry.challenge import challenge
from finml.registry.promotion import rollback
from finml.registry.versions import resolve
from tests.components.conftest import MODEL
from tests.registry.runs import new_home, registered

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("components")]


def test_the_champion_is_what_others_are_compared_with(steps, champion):
    with champion_of(get_model(MODEL), steps.settings) as (version, predictor):
        assert version == champion == f"{MODEL}@1"
        assert predictor.features


def test_before_the_first_there_is_no_champion(empty):
    with champion_of(get_model(MODEL), empty.settings) as (version, predictor):
        assert (version, predictor) == (None, None)


def test_a_rejected_model_cannot_be_registered(steps, trained, judged):
    verdict = judged["verdict"].metadata["verdict"] | {"approved": False}
    rejecting = dsl.Markdown(name="verdict", uri=judged["verdict"].uri, metadata={"verdict": verdict})
    with pytest.raises(NotApprovedError, match="not registered"):
        steps(register, model=MODEL, mlflow_run=trained["Output"], verdict=rejecting)


def test_the_champion_is_packaged_by_name_and_number(steps, champion):
    done = steps(package, models=[], ledger_url="", variants=True)
    assert done["bento"].metadata["versions"] == [champion]
    assert done["bento"].metadata["variants"] == []
    assert done["Output"].startswith("finance:")
    (model,) = json.loads(Path(done["bento"].path).read_text())["models"]
    version = resolve(steps.settings, champion)
    assert (model["version"], model["manifest_sha256"]) == (version.version, version.manifest_sha256)


@pytest.fixture
def two(tmp_path):
    """A home whose second version is champion, and the first previous."""
    settings = new_home(tmp_path / "home")
    return settings, registered(settings), registered(settings)


def test_the_previous_champion_and_the_challenger_stand_beside_the_champion(two):
    settings, first, second = two
    chosen = champions([], settings)
    assert [version.spec for version in chosen] == [second.spec]
    assert [version.spec for version in beside(chosen, "previous", settings)] == [first.spec]
    assert beside(chosen, "challenger", settings) == []
    rollback(settings, MODEL, who="ana")
    challenge(settings, second.spec, who="ana")
    chosen = champions([], settings)
    for alias in ("previous", "challenger"):
        assert [version.spec for version in beside(chosen, alias, settings)] == [second.spec]


def test_a_version_of_another_ledger_is_left_out(two):
    settings, _, _ = two
    elsewhere = [version.model_copy(update={"ledger": "elsewhere"}) for version in champions([], settings)]
    assert beside(elsewhere, "previous", settings) == []


@pytest.mark.parametrize(
    ("models", "words"), [([], "no model has a champion"), (["spending"], "spending has no champion")]
)
def test_without_a_champion_nothing_is_packaged(empty, models, words):
    with pytest.raises(NotApprovedError, match=words) as raised:
        champions(models, empty.settings)
    assert "finml run training" in raised.value.hint


def test_without_a_builder_the_bento_stays_and_the_step_says_so(empty, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = empty(containerize, bento="finance:abc", base_image="")
    assert done["Output"] == ""
    assert "finance:abc" in Path(done["image"].path).read_text()
    assert "no container builder" in done["image"].metadata["summary"]
