import random

from finml.models.entities.contract import EntitiesInput


def test_an_example_is_a_request_in_which_something_is_found(model, predictor):
    rng = random.Random(5)  # noqa: S311  # no secret
    requests = [EntitiesInput.model_validate(model.example(rng, ["u1"])) for _ in range(50)]
    assert len({request.text for request in requests}) > 30
    assert all(predictor.extract(requests))


def test_the_same_draws_make_the_same_example(model):
    one, other = random.Random(1), random.Random(1)  # noqa: S311  # no secret
    assert model.example(one, ["u1"]) == model.example(other, ["u2"])
