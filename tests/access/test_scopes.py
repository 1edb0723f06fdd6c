import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.access.scopes import ACTIONS, Scopes
from finml.errors import UsageError

MODELS = ("credit_risk", "intent", "anomaly")
models, actions = st.sampled_from(MODELS), st.sampled_from(ACTIONS)
parts = st.tuples(st.sampled_from([*MODELS, "*"]), st.sampled_from([*ACTIONS, "*"]))


def grants(what: str, action: str) -> bool:
    """Whether who may tell of anybody's predictions, or do all but that, may do this."""
    by_any = what == "*" and action != "feedback-all"
    return what == action or by_any or (what, action) == ("feedback-all", "feedback")


@given(st.sets(parts), models, actions)
def test_a_scope_allows_what_it_names_and_nothing_else(granted, model, action):
    scopes = Scopes.of(f"{of}:{what}" for of, what in granted)
    expected = any(of in (model, "*") and grants(what, action) for of, what in granted)
    assert scopes.allow(model, action) is expected


@given(st.sets(parts), actions)
def test_a_request_about_no_single_model_needs_the_action_on_one(granted, action):
    scopes = Scopes.of(f"{of}:{what}" for of, what in granted)
    assert scopes.allow("*", action) is any(grants(what, action) for _, what in granted)


@pytest.mark.parametrize(
    "text", ["", "credit_risk", "credit_risk:", ":predict", "*:delete", "a:b:c", "A:read"]
)
def test_what_is_no_scope_is_refused(text):
    with pytest.raises(UsageError, match="no scope"):
        Scopes.of([text])


def test_a_claim_gives_our_scopes_and_leaves_out_the_others():
    claim = "openid finml:credit_risk:predict finml:intent:feedback-all other:*:predict finml:*:delete"
    assert Scopes.within(claim).granted == {"credit_risk:predict", "intent:feedback-all", "intent:feedback"}


@pytest.mark.parametrize("claim", [None, 3, ["finml:*:*"], {"finml:*:*": 1}])
def test_a_claim_of_another_kind_gives_nothing(claim):
    assert Scopes.within(claim).granted == frozenset()
