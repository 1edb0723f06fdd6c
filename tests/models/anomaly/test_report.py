import base64
import re
from xml.etree import ElementTree

import pytest

from tests.models.pages import Outline


@pytest.fixture(scope="module")
def page(model, predictor, parts, evaluation) -> str:
    return model.report(predictor, parts[1], evaluation)


def test_the_page_is_well_formed_and_needs_no_other_file(page):
    assert Outline(page).open == []
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert len(page) < 2_000_000


def test_every_plot_is_a_whole_svg_with_words_for_it(page):
    images = Outline(page).images
    assert [alt for alt, _ in images] == ["Anomalies among the alerts", "Scores of the most unusual rows"]
    for _, source in images:
        svg = base64.b64decode(source.removeprefix("data:image/svg+xml;base64,"))
        assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314  # made by us


def test_the_page_shows_figures_kinds_and_categories(page, evaluation):
    text = re.sub(r"\s+", " ", Outline(page).text)
    recall = evaluation.metrics["recall_at_budget"]
    assert f"{recall.value:.3f} {recall.low:.3f} to {recall.high:.3f}" in text
    for words in (
        "By kind of anomaly",
        "new merchant large",
        "By category",
        "groceries",
        "labels play no part",
    ):
        assert words in text
    assert "Against" not in text


def test_the_same_evaluation_gives_the_same_page(model, predictor, parts, evaluation, page):
    assert model.report(predictor, parts[1], evaluation) == page


def test_the_difference_to_the_champion_is_shown(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=1)
    found = found.model_copy(update={"champion": "anomaly@3"})
    assert "Against anomaly@3" in model.report(predictor, parts[1], found)
    assert "anomaly@3" in model.card(predictor, found, {})


def test_without_labels_page_and_card_say_what_cannot_be_said(model, predictor, parts):
    frame = parts[1].assign(anomalous=False, anomaly_kind=None)
    found = model.evaluate(predictor, frame, champion=None, seed=1)
    for text in (model.report(predictor, frame, found), model.card(predictor, found, {})):
        assert "Quality cannot be measured" in text
        assert "not defined here" in text


def test_a_table_has_a_page_and_a_card_too(model, table_predictor, table_parts):
    found = model.evaluate(table_predictor, table_parts[1], champion=None, seed=1)
    assert Outline(model.report(table_predictor, table_parts[1], found)).open == []
    assert "rows of a table with 4 columns" in model.card(table_predictor, found, {})


def test_names_from_data_cannot_break_the_page(model, predictor, parts, evaluation):
    breakdown = {"category": {"<script>alert(1)</script>": evaluation.breakdown["category"]["dining"]}}
    found = evaluation.model_copy(update={"breakdown": breakdown, "data_hash": "<b>x"})
    page = model.report(predictor, parts[1], found)
    assert "<script>" not in page
    assert "<b>x" not in page


def test_the_card_says_what_a_reader_needs(model, predictor, evaluation):
    card = model.card(predictor, evaluation, {"data_hash": "abc123", "git_commit": "f00"})
    for heading in ("Intended use", "Data", "Quality", "Limits", "Training", "Lineage"):
        assert f"\n## {heading}\n" in card
    for words in ("| data_hash | abc123 |", "| AUC | ", "| new merchant large |", "amount, time, novelty"):
        assert words in card
    assert "{{" not in card


def test_tables_of_the_card_are_tables(model, predictor, evaluation):
    card = model.card(predictor, evaluation, {"data_hash": "abc123"})
    widths = [
        {line.count("|") for line in block.strip().splitlines()}
        for block in card.split("\n\n")
        if block.strip().startswith("|")
    ]
    assert len(widths) >= 4
    assert all(len(width) == 1 for width in widths)
