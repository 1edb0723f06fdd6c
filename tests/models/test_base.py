import pytest

from finml.errors import ModelError, UnknownModelError
from finml.models.base import Evaluation, Interval, Model, catalogue, get_model, model_names


def test_the_catalogue_names_every_folder():
    assert "credit_risk" in model_names()
    assert list(model_names()) == sorted(catalogue())


@pytest.mark.parametrize("name", model_names())
def test_every_model_says_what_it_is(name):
    model: Model = get_model(name)
    assert model.name == name
    assert model.gate.is_file()
    assert model.question.endswith("?")
    assert all(isinstance(words, str) for words in model.missing_weights())


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(UnknownModelError, match="'horoscope'") as caught:
        get_model("horoscope")
    assert "credit_risk" in caught.value.hint


def test_an_evaluation_finds_its_figures():
    found = Evaluation(model="m", metrics={"auc": Interval(value=0.7, low=0.6, high=0.8)}, scalars={"n": 9.0})
    assert (found.figure("auc"), found.figure("n"), found.figure("luck")) == (0.7, 9.0, None)
    assert Evaluation.model_validate_json(found.model_dump_json()) == found


def test_a_model_takes_only_its_own_predictors():
    with pytest.raises(ModelError, match="object is not a credit_risk model"):
        get_model("credit_risk").card(object(), None, {})
