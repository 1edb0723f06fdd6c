import pytest

from finml.errors import UsageError
from finml.models.intent.recipe import Recipe


def test_given_parameters_replace_declared_ones():
    recipe = Recipe.of({"epochs": 2, "learning_rate": 1e-4, "refit": False})
    assert (recipe.epochs, recipe.learning_rate, recipe.refit) == (2, 1e-4, False)
    assert recipe.batch == Recipe().batch
    assert Recipe.of(recipe.to_dict()) == recipe
    assert Recipe.of({}, texts=100).epochs > Recipe.of({}, texts=10_000).epochs
    assert Recipe.of({"epochs": 2}, texts=100).epochs == 2


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"layers": 3}, "no parameter layers"),
        ({"epochs": "many"}, "epochs cannot be 'many'"),
        ({"epochs": 1.5}, "epochs cannot be 1.5"),
        ({"epochs": 0}, "epochs cannot be 0"),
        ({"learning_rate": -1.0}, "learning_rate cannot be -1.0"),
        ({"learning_rate": float("nan")}, "learning_rate cannot be nan"),
        ({"learning_rate": None}, "learning_rate cannot be None"),
        ({"averaging": 1.0}, "averaging cannot be 1.0"),
        ({"smoothing": 3.0}, "smoothing cannot be 3.0"),
        ({"learning_rate": float("inf")}, "learning_rate cannot be inf"),
        ({"validation": 0.0}, "validation cannot be 0.0"),
        ({"validation": 0.9}, "validation cannot be 0.9"),
    ],
)
def test_parameters_that_cannot_be_meant_are_named(params, words):
    with pytest.raises(UsageError, match=words) as caught:
        Recipe.of(params)
    assert caught.value.hint
