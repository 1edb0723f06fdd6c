import re

import pytest


@pytest.fixture(scope="module")
def page(model, predictor, parts, evaluation) -> str:
    return model.report(predictor, parts[1], evaluation)


def test_the_page_shows_figures_series_and_notes(page, evaluation):
    assert f"{evaluation.metrics['mase'].value:.3f}" in page
    assert "2 of 45 months are missing (2021-06, 2022-06)" in page
    assert "Weight of six own months" in page
    assert page.count("data:image/svg+xml") >= 7 + 1


def test_the_page_needs_no_other_file(page):
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_the_card_says_what_it_is_for_and_where_it_comes_from(model, predictor, evaluation):
    card = model.card(predictor, evaluation, {"data hash": "abc123"})
    for words in (
        "Not for: decisions about a person",
        "| MASE | ",
        "| data hash | abc123 |",
        "dining: 2 of 45",
    ):
        assert words in card
    assert "{{" not in card


def test_a_champion_is_compared_in_both(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=1)
    found = found.model_copy(update={"champion": "spending@3"})
    assert "Against spending@3" in model.report(predictor, parts[1], found)
    assert "less spending@3" in model.card(predictor, found, {})


def test_why_a_champion_is_not_compared_is_in_both(model, predictor, parts, evaluation):
    words = "the champion knows none of these series"
    found = evaluation.model_copy(update={"champion": "spending@3", "incomparable": words})
    for text in (model.report(predictor, parts[1], found), model.card(predictor, found, {})):
        assert f"Not compared with spending@3: {words}." in text
