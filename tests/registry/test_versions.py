import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import RegistryError, UsageError
from finml.registry.client import connect
from finml.registry.versions import ALIASES, Version, list_models, parse_spec, resolve
from tests.registry.runs import MODEL, registered


@given(
    st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True),
    st.integers(1, 2**31 - 1) | st.sampled_from(ALIASES),
)
def test_specs_mean_what_they_say(name, selector):
    assert parse_spec(f"{name}@{selector}") == (name, selector)


def test_a_name_alone_is_the_champion():
    assert parse_spec(MODEL) == (MODEL, "champion")


@pytest.mark.parametrize(
    "spec",
    ["", "@7", "Credit@7", "a b@7", "credit_risk@7@8"]
    + [f"credit_risk@{selector}" for selector in ("", "latest", "0", "-1", "v7", "²", "99999999999")],
)
def test_what_cannot_be_a_version_is_wrong_usage(spec):
    with pytest.raises(UsageError) as caught:
        parse_spec(spec)
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_versions_are_found_by_number_and_alias(settings):
    first, second = registered(settings), registered(settings)
    assert (first.version, second.version) == (1, 2)
    assert resolve(settings, "credit_risk@1").aliases == ["previous"]
    assert resolve(settings, "credit_risk") == resolve(settings, "credit_risk@champion") == second
    assert resolve(settings, "credit_risk@previous").spec == "credit_risk@1"
    assert second.data_hash == "d" * 64
    assert second.seed == settings.seed
    assert second.pipeline_run == "run-1"
    assert second.gate == "approved"
    assert Version.model_validate_json(second.model_dump_json()) == second


def test_what_is_not_there_is_named_beside_what_is(settings):
    with pytest.raises(RegistryError, match="no model 'credit_risk' is registered") as caught:
        resolve(settings, "credit_risk@1")
    assert "finml run training" in caught.value.hint
    registered(settings)
    with pytest.raises(RegistryError, match="no model 'intent' is registered") as caught:
        resolve(settings, "intent@1")
    assert caught.value.hint == "registered: credit_risk"
    with pytest.raises(RegistryError, match="credit_risk has no version 7") as caught:
        resolve(settings, "credit_risk@7")
    assert caught.value.hint == "its versions: 1"
    with pytest.raises(RegistryError, match="credit_risk has no candidate") as caught:
        resolve(settings, "credit_risk@candidate")
    assert caught.value.hint == "champion is version 1"


def test_a_registered_model_without_versions(settings):
    with connect(settings) as client:
        client.create_registered_model(MODEL)
    with pytest.raises(RegistryError) as caught:
        resolve(settings, "credit_risk@1")
    assert caught.value.hint == "its versions: none yet"
    with pytest.raises(RegistryError, match="no champion") as caught:
        resolve(settings, "credit_risk")
    assert "finml models list" in caught.value.hint


def test_models_are_listed_with_their_versions_newest_first(settings):
    assert list_models(settings) == []
    registered(settings)
    registered(settings, approval="human")
    (entry,) = list_models(settings)
    assert (entry.name, entry.champion, entry.candidate, entry.previous) == (MODEL, 1, 2, None)
    assert [version.version for version in entry.versions] == [2, 1]
    assert list_models(settings, MODEL) == [entry]
    with pytest.raises(RegistryError, match="intent"):
        list_models(settings, "intent")


def test_a_version_that_something_else_registered_is_shown_without_a_decision(settings):
    run_id = registered(settings).run_id
    with connect(settings) as client:
        client.create_model_version(MODEL, "s3://somewhere", run_id, tags={"finml.seed": "?"})
    version = resolve(settings, "credit_risk@2")
    assert version.approval.decision == "pending"
    assert version.gate == ""
    assert version.seed is None
