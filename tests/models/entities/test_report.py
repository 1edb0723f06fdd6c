import base64
import re
from xml.etree import ElementTree

import pytest

from finml.models.entities import frames
from finml.models.entities.annotations import Span
from finml.models.entities.report import confusions
from tests.models.entities.sentences import line
from tests.models.pages import Outline


@pytest.fixture(scope="module")
def page(model, predictor, parts, evaluation) -> str:
    return model.report(predictor, parts[1], evaluation)


def test_the_page_is_well_formed_and_needs_no_other_file(page):
    outline = Outline(page)
    assert outline.open == []
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    ((alt, source),) = outline.images
    assert alt == "F1 by type"
    svg = base64.b64decode(source.removeprefix("data:image/svg+xml;base64,"))
    assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314  # made by us


def test_the_page_shows_figures_types_languages_and_mistakes(page, evaluation):
    text = re.sub(r"\s+", " ", Outline(page).text)
    f1 = evaluation.metrics["f1"]
    assert f"{f1.value:.3f} {f1.low:.3f} to {f1.high:.3f}" in text
    for words in ("MERCHANT", "hinglish", "What goes wrong", "not found", "texts with a mistake"):
        assert words in text
    assert "Against" not in text


def test_the_same_evaluation_gives_the_same_page(model, predictor, parts, evaluation, page):
    assert model.report(predictor, parts[1], evaluation) == page


def test_the_difference_to_the_champion_is_shown(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=1)
    found = found.model_copy(update={"champion": "entities@3"})
    assert "Against entities@3" in model.report(predictor, parts[1], found)
    assert "less entities@3" in model.card(predictor, found, {})


def test_texts_cannot_break_the_page_and_few_make_one_too(model, predictor):
    rows = frames.checked(frames._from_lines(line("<script>alert(1)</script> Zqx", ("Zqx", "PERSON"))))
    found = model.evaluate(predictor, rows, champion=None, seed=1)
    page = model.report(predictor, rows, found)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "{{" not in model.card(predictor, found, {})


def test_what_an_entity_was_taken_for():
    truth = [{Span(0, 4, "MONEY"), Span(5, 9, "DATE"), Span(10, 12, "PERSON")}]
    found = [{Span(0, 4, "PERCENT"), Span(5, 8, "DATE")}]
    assert confusions(truth, found) == [
        ("DATE", "found with other offsets", 1),
        ("MONEY", "taken for PERCENT", 1),
        ("PERSON", "not found", 1),
    ]


def test_the_card_says_what_a_reader_needs(model, predictor, evaluation):
    card = model.card(predictor, evaluation, {"data_hash": "abc123"})
    for heading in ("Intended use", "Data", "Quality", "Method", "Limits", "Training", "Lineage"):
        assert f"\n## {heading}\n" in card
    assert "| data_hash | abc123 |" in card
    assert "| F1 | " in card
    assert "1. the model's, where it holds whole" in card


def test_tables_of_the_card_are_tables(model, predictor, parts):
    for champion in (None, predictor):
        found = model.evaluate(predictor, parts[1].head(50), champion=champion, seed=1)
        card = model.card(predictor, found, {"data_hash": "abc123"})
        blocks = [block.strip().splitlines() for block in card.split("\n\n") if block.strip().startswith("|")]
        assert len(blocks) >= 6
        for block in blocks:
            assert len({line.count("|") for line in block}) == 1, block
            assert re.fullmatch(r"\|(---\|)+", block[1])
