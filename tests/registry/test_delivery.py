import pytest

from finml.errors import IntegrityError, NotApprovedError, RegistryError
from finml.registry.client import connect
from finml.registry.delivery import fetch, recheck, verdict_of
from finml.registry.manifest import check_manifest
from finml.registry.promotion import approve, reject
from finml.registry.versions import resolve
from tests.registry.runs import MODEL, artifact, registered


def test_the_files_of_a_version_arrive_checked(settings, tmp_path):
    version = registered(settings, content="the model")
    folder = fetch(settings, version, tmp_path / "new" / "model")
    assert (folder / "model.json").read_text() == "the model"
    assert check_manifest(folder) == version.manifest_sha256
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_fetching_again_keeps_what_is_there(settings, tmp_path):
    version = registered(settings)
    folder = fetch(settings, version, tmp_path / "model")
    before = (folder / "model.json").stat().st_mtime_ns
    artifact(settings, version.run_id, "model/model.json").unlink()  # what is there needs no download
    assert fetch(settings, version, folder) == folder
    assert (folder / "model.json").stat().st_mtime_ns == before


def test_an_empty_folder_is_filled_and_a_full_one_is_not_touched(settings, tmp_path):
    version = registered(settings)
    (tmp_path / "model").mkdir()
    fetch(settings, version, tmp_path / "model")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(RegistryError, match="something other than credit_risk@1"):
        fetch(settings, version, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("with_manifest", [False, True])
def test_files_that_were_changed_do_not_arrive(settings, tmp_path, with_manifest):
    from finml.registry.manifest import write_manifest

    version = registered(settings)
    file = artifact(settings, version.run_id, "model/model.json")
    file.write_text("poisoned")
    if with_manifest:
        write_manifest(file.parent)
    with pytest.raises(IntegrityError):
        fetch(settings, version, tmp_path / "out" / "model")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_version_without_a_recorded_manifest_is_refused(settings, tmp_path):
    version = registered(settings).model_copy(update={"manifest_sha256": ""})
    with pytest.raises(IntegrityError, match="no recorded manifest"):
        fetch(settings, version, tmp_path / "model")


def test_an_approved_version_may_be_used(settings):
    version = registered(settings)
    verdict = recheck(settings, version)
    assert verdict.approved
    assert verdict == verdict_of(settings, version)


def test_a_version_that_waits_for_a_person_may_not(settings):
    version = registered(settings, approval="human")
    with pytest.raises(NotApprovedError, match="waits for the approval of a person") as caught:
        recheck(settings, version)
    assert "finml models approve credit_risk@1" in caught.value.hint
    approve(settings, version.spec, who="ana")
    assert recheck(settings, version).approved  # what counts is the state now, not that of the object


def test_a_version_that_a_person_rejected_may_not(settings):
    version = registered(settings, approval="human")
    reject(settings, version.spec, who="ana", why="trained on a broken month")
    with pytest.raises(NotApprovedError, match="ana rejected credit_risk@1: trained on a broken month"):
        recheck(settings, version)


def test_a_better_evaluation_put_in_later_does_not_help(settings):
    version = registered(settings)
    file = artifact(settings, version.run_id, "evaluation/evaluation.json")
    file.write_text(file.read_text().replace("0.75", "0.95"))
    with pytest.raises(IntegrityError, match="not the one that its evaluation and gate give"):
        recheck(settings, version)


def test_a_softer_gate_put_in_later_does_not_help(settings):
    version = registered(settings)
    file = artifact(settings, version.run_id, "gate/gate.yaml")
    file.write_text(file.read_text().replace("0.65", "0.05"))
    with pytest.raises(IntegrityError, match="not the one"):
        recheck(settings, version)


def test_a_lost_evaluation_does_not_help(settings):
    version = registered(settings)
    artifact(settings, version.run_id, "evaluation/evaluation.json").unlink()
    with pytest.raises(RegistryError, match="has no evaluation"):
        recheck(settings, version)


@pytest.mark.parametrize(("value", "words"), [(None, "has no verdict"), ("{}", "has no verdict")])
def test_a_version_without_verdict_may_not_be_used(settings, value, words):
    version = registered(settings)
    with connect(settings) as client:
        if value is None:
            client.delete_model_version_tag(MODEL, "1", "finml.verdict")
        else:
            client.set_model_version_tag(MODEL, "1", "finml.verdict", value)
    with pytest.raises(NotApprovedError, match=words):
        recheck(settings, version)


def test_a_version_with_a_rejecting_verdict_may_not_be_used(settings):
    version = registered(settings)
    verdict = verdict_of(settings, version).model_copy(update={"approved": False})
    with connect(settings) as client:
        client.set_model_version_tag(MODEL, "1", "finml.verdict", verdict.model_dump_json())
    with pytest.raises(NotApprovedError, match="the gate did not approve credit_risk@1"):
        recheck(settings, version)


def test_a_version_that_something_else_registered_may_not_be_used(settings):
    run_id = registered(settings).run_id
    with connect(settings) as client:
        client.create_model_version(MODEL, "s3://somewhere", run_id)
    with pytest.raises(NotApprovedError, match="has no verdict"):
        recheck(settings, resolve(settings, "credit_risk@2"))
