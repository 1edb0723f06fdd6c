"""Features are declared once, and the documentation shows what is declared."""

from pathlib import Path

from finml.features.declarations import (
    REQUEST_FIELDS,
    SERVICES,
    STORED_VIEWS,
    VIEWS,
    markdown,
    request_fields,
)

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


def test_a_stored_view_names_a_feature_of_its_own_that_is_never_missing() -> None:
    assert all(view.always in view.feature_names for view in STORED_VIEWS)


def test_a_service_asks_a_request_for_what_its_views_need() -> None:
    assert request_fields("credit_risk_v1") == tuple(REQUEST_FIELDS)
    assert request_fields("anomaly_v1") == request_fields("spending_v1") == ()


def test_the_documentation_shows_every_feature_as_declared() -> None:
    assert markdown() in DOCS.read_text(encoding="utf-8"), (
        "write declarations.markdown() into docs/features.md"
    )
