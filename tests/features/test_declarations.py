"""Features are declared once, and the documentation shows what is declared."""

from pathlib import Path

from finml.features.declarations import REQUEST_FIELDS, SERVICES, VIEWS, markdown

DOCS = Path(__file__).parents[2] / "docs" / "features.md"


def test_a_feature_has_one_name_over_all_views() -> None:
    names = [name for view in VIEWS.values() for name in view.feature_names]
    assert len(names) == len(set(names))
    assert not set(names) & set(REQUEST_FIELDS)


def test_no_feature_is_a_protected_attribute() -> None:
    names = {name for view in VIEWS.values() for name in view.feature_names}
    assert not names & {"sex", "age", "education", "marital_status", "region"}


def test_services_are_made_of_views_that_exist() -> None:
    assert all(name in VIEWS for names in SERVICES.values() for name in names)


def test_the_documentation_shows_every_feature_as_declared() -> None:
    assert markdown() in DOCS.read_text(encoding="utf-8"), (
        "write declarations.markdown() into docs/features.md"
    )
