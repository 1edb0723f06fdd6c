import re

import pytest

from finml.models.base import Evaluation


@pytest.fixture(scope="module")
def page(model, predictor, parts, evaluation) -> str:
    return model.report(predictor, parts[1], evaluation)


def test_the_page_needs_nothing_else(page):
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert page.count("data:image/svg+xml;base64,") == 4


def test_the_page_has_every_figure_and_intent(page, evaluation):
    for figure in evaluation.metrics.values():
        assert f"{figure.value:.3f}" in page
    for intent in evaluation.breakdown["intent"]:
        assert f"<td>{intent}</td>" in page
    assert "None" not in page
    assert "nan" not in re.sub(r"base64,[^\"]*", "", page)


def test_the_page_compares_with_a_champion(model, predictor, parts, evaluation):
    assert "Against" not in model.report(predictor, parts[1], evaluation)
    rival = model.evaluate(predictor, parts[1], champion=predictor, seed=1)
    named = rival.model_copy(update={"champion": "intent@1"})
    assert "Against intent@1" in model.report(predictor, parts[1], named)


def test_a_page_is_made_where_nothing_is_out_of_scope(model, predictor, parts):
    rows = parts[1].query("intent != 'oos'")
    found = model.evaluate(predictor, rows, champion=None, seed=1)
    assert "Scope AUROC" not in model.report(predictor, rows, found)


def test_labels_are_escaped(model, predictor, parts, evaluation):
    rows = {"<b>bold</b>": {"f1": 0.5, "n": 3.0}}
    odd = Evaluation.model_validate(evaluation.model_dump() | {"breakdown": {"intent": rows}})
    assert "<b>bold</b>" not in model.report(predictor, parts[1], odd)


def test_the_card_says_where_it_comes_from_and_what_it_cannot(model, predictor, evaluation):
    card = model.card(predictor, evaluation, {"mlflow run": "abc123"})
    for words in (
        "# Model card: intent",
        "| mlflow run | abc123 |",
        "## Limits",
        "Not for:",
        "balance, budget",
    ):
        assert words in card
    assert f"{evaluation.metrics['accuracy'].value:.4f}" in card
    assert "{{" not in card
    assert "None" not in card
