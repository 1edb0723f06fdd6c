import pytest

from finml.errors import DataError
from finml.models.entities import linking
from finml.models.entities.linking import Catalogue

NAMES = ["Amazon", "BigBasket", "Swiggy", "Apollo Pharmacy", "Uber"]


@pytest.mark.parametrize(
    ("typed", "merchant"),
    [
        ("Amazon", "Amazon"),
        ("amazon's", "Amazon"),
        ("AMAZN", "Amazon"),
        ("swigy", "Swiggy"),
        ("pharmacy apollo", "Apollo Pharmacy"),
        ("Big Basket", "BigBasket"),
        ("apollo", "Apollo Pharmacy"),
        ("Legoland", None),
        ("ub", None),
        ("😀", None),
        ("", None),
    ],
)
def test_a_name_is_linked_to_the_nearest_merchant(typed, merchant):
    assert Catalogue(NAMES).link(typed).merchant == merchant


def test_the_score_tells_how_near_it_is_even_without_a_link():
    near, far = Catalogue(NAMES).link("swiggi"), Catalogue(NAMES).link("swimming")
    assert near.score >= linking.LEAST_SCORE > far.score > 0
    assert Catalogue(NAMES).link("Swiggy").score == 1


def test_equal_scores_go_to_the_first_name_whatever_the_order_they_came_in():
    assert Catalogue(["Cab B", "Cab A"]).link("cab c") == Catalogue(["Cab A", "Cab B"]).link("cab c")
    assert Catalogue(["Cab B", "Cab A"]).link("cab c").merchant == "Cab A"


def test_a_short_form_that_two_merchants_share_links_to_neither():
    assert Catalogue(["Apollo Pharmacy", "Apollo Tyres"]).link("apollo").merchant is None


def test_an_empty_catalogue_links_nothing():
    assert Catalogue([]).link("Amazon") == linking.Link(None, 0.0)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("spent at apollo pharmacy, swiggy and Uber", ["apollo pharmacy", "swiggy", "Uber"]),
        ("Amazon's refund", ["Amazon"]),
        ("amazonia", []),
        ("swigy", []),
        ("", []),
    ],
)
def test_merchants_are_found_by_their_names(text, names):
    assert [text[start:end] for start, end in Catalogue(NAMES).named(text)] == names


def test_the_longest_name_is_found_and_short_ones_are_not():
    catalogue = Catalogue(["Big", "Big Bazaar", "Bazaar Big Mart", "राहुल ढाबा"])
    text = "big bazaar big mart राहुल ढाबा big"
    assert [text[start:end] for start, end in catalogue.named(text)] == ["big bazaar", "राहुल ढाबा"]


def test_too_many_merchants_are_refused(monkeypatch):
    monkeypatch.setattr(linking, "MOST_MERCHANTS", 3)
    with pytest.raises(DataError, match="5 merchants, at most 3"):
        Catalogue(NAMES)
