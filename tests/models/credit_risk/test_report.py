import base64
import re
from xml.etree import ElementTree

import pytest

from tests.models.pages import Outline


@pytest.fixture(scope="module")
def page(model, predictor, parts, evaluation) -> str:
    return model.report(predictor, parts[1], evaluation)


def test_the_page_is_well_formed_and_needs_no_other_file(page):
    outline = Outline(page)
    assert outline.open == []
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "url(" not in page
    assert len(page) < 2_000_000


def test_every_plot_is_a_whole_svg_with_words_for_it(page):
    images = Outline(page).images
    assert [alt for alt, _ in images] == [
        "ROC curve",
        "Precision and recall",
        "Gain and KS",
        "Calibration",
        "Scores by outcome",
        "Mean absolute contribution by feature",
        "Favourable decisions by group",
    ]
    for _, source in images:
        svg = base64.b64decode(source.removeprefix("data:image/svg+xml;base64,"))
        assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314  # made by us


def test_the_page_shows_figures_groups_and_bands(page, evaluation):
    text = re.sub(r"\s+", " ", Outline(page).text)
    auc = evaluation.metrics["auc"]
    assert f"{auc.value:.3f} {auc.low:.3f} to {auc.high:.3f}" in text
    for words in ("high school", "25-34", "very low", "Disparate impact", "platt"):
        assert words in text
    assert "Against" not in text


def test_the_same_evaluation_gives_the_same_page(model, predictor, parts, evaluation, page):
    assert model.report(predictor, parts[1], evaluation) == page


def test_the_difference_to_the_champion_is_shown(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=1)
    found = found.model_copy(update={"champion": "credit_risk@3"})
    assert "Against credit_risk@3" in model.report(predictor, parts[1], found)
    assert "credit_risk@3" in model.card(predictor, found, {})


@pytest.mark.parametrize("rows", [1, 30])
def test_few_rows_of_one_class_make_a_page_too(model, predictor, parts, rows):
    frame = parts[1][~parts[1]["defaulted"]].head(rows)
    frame = frame.drop(columns=[column for column in frame if column.startswith("protected_")])
    found = model.evaluate(predictor, frame, champion=None, seed=1)
    outline = Outline(model.report(predictor, frame, found))
    assert "not defined here" in outline.text
    assert "No protected attribute is known" in outline.text
    assert outline.images[0][0] == "Calibration"
    assert "not defined here" in model.card(predictor, found, {})


def test_names_from_data_cannot_break_the_page(model, predictor, parts, evaluation):
    found = evaluation.model_copy(update={"champion": "<script>alert(1)</script>", "data_hash": "<b>"})
    page = model.report(predictor, parts[1], found)
    assert "<script>" not in page
    assert "<b>" not in page.replace("<b>0", "").replace("<b>1", "")


def test_the_card_says_what_a_reader_needs(model, predictor, evaluation):
    card = model.card(predictor, evaluation, {"data_hash": "abc123", "git_commit": "f00"})
    for heading in ("Intended use", "Data", "Quality", "Fairness", "Limits", "Training", "Lineage"):
        assert f"\n## {heading}\n" in card
    assert "| data_hash | abc123 |" in card
    assert "| AUC | " in card
    assert "risk never falls as these rise: worst_delay" in card
    assert "Too small to judge" in card
    assert "{{" not in card


def test_tables_of_the_card_are_tables(model, predictor, evaluation):
    card = model.card(predictor, evaluation, {"data_hash": "abc123"})
    widths = [
        {line.count("|") for line in block.strip().splitlines()}
        for block in card.split("\n\n")
        if block.strip().startswith("|")
    ]
    assert len(widths) >= 5
    assert all(len(width) == 1 for width in widths)
