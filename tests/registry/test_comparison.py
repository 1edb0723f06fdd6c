import math

import pytest

from finml.errors import RegistryError
from finml.models.base import Interval
from finml.registry.comparison import Comparison, compare, show
from finml.registry.delivery import verdict_of
from tests.registry.runs import artifact, evaluation, registered


def row(comparison: Comparison, metric: str):
    return next(row for row in comparison.rows if row.metric == metric)


def test_two_versions_side_by_side(settings):
    registered(settings)
    better = evaluation(0.8)
    better.metrics["ks"] = Interval(value=0.4, low=0.3, high=0.5)
    registered(settings, found=better)
    comparison = compare(settings, "credit_risk@1", "credit_risk@champion")
    assert (comparison.left.version, comparison.right.version) == (1, 2)
    assert comparison.same_data
    auc = row(comparison, "auc")
    assert (auc.left.value, auc.right.low) == (0.75, pytest.approx(0.78))
    assert auc.delta == pytest.approx(0.05)
    assert (row(comparison, "ks").left, row(comparison, "ks").delta) == (None, None)
    assert row(comparison, "n").left.low is None
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison


@pytest.mark.parametrize("data_hash", ["other", ""])
def test_figures_of_different_rows_are_marked(settings, data_hash):
    registered(settings, found=evaluation(data_hash=data_hash))
    registered(settings, found=evaluation(data_hash=data_hash and "held-out"))
    assert not compare(settings, "credit_risk@1", "credit_risk@2").same_data


def test_what_is_no_number_is_left_out_of_the_difference(settings):
    odd = evaluation()
    odd.scalars["odd"] = math.nan
    registered(settings, found=odd)
    registered(settings, found=odd)
    found = row(compare(settings, "credit_risk@1", "credit_risk@2"), "odd")
    assert (found.left.value, found.delta) == (None, None)


def test_a_version_in_detail(settings):
    version = registered(settings)
    detail = show(settings, "credit_risk")
    assert detail.version == version
    assert detail.verdict == verdict_of(settings, version)
    assert detail.figures["auc"].high == pytest.approx(0.77)
    assert [row.group for row in detail.groups] == ["female", "male"]


def test_a_version_that_lost_its_evaluation_says_so(settings):
    version = registered(settings)
    artifact(settings, version.run_id, "evaluation/evaluation.json").unlink()
    with pytest.raises(RegistryError, match="has no evaluation"):
        show(settings, version.spec)
