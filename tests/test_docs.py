"""What the documentation points at is there, and what is generated is up to date."""

import re
from pathlib import Path

import pytest

from benchmarks.results import PAGE, page, read
from finml.models.base import model_names

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)")


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file):
    targets = [target for target in LINK.findall(file.read_text()) if "://" not in target]
    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_the_page_of_the_models_is_what_the_benchmarks_left():
    assert PAGE.read_text() == page(read()), "run: python -m benchmarks.results"


def test_every_model_was_measured_and_has_its_page():
    assert {row.model for row in read()} == set(model_names())
    for name in model_names():
        assert (ROOT / "docs" / "models" / f"{name}.md").exists()


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_question_to_a_model_shows_a_key(file):
    asked = [part.split("-d ")[0] for part in file.read_text().split("curl ")[1:]]
    questions = [words for words in asked if re.search(r"/(predict|explain|feedback)\b", words)]
    assert [words for words in questions if '-H "X-API-Key: $' not in words] == []
