import numpy as np
import pandas as pd
import pytest

from finml.models.fairness import AGE_GROUPS, LEAST_GROUP, age_group, fairness_table


def test_ages_fall_into_groups():
    ages = pd.Series([17, 24, 25, 34.9, 35, 64, 65, 99, None])
    assert age_group(ages).tolist()[:-1] == ["<25", "<25", "25-34", "25-34", "35-44", "55-64", "65+", "65+"]
    assert age_group(ages).isna().tolist() == [False] * 8 + [True]


def table(frame: pd.DataFrame, *attributes: str) -> dict[tuple[str, str], object]:
    rows = fairness_table(frame[list(attributes)], frame["label"], frame["flagged"], frame["score"])
    return {(row.attribute, row.group): row for row in rows}


@pytest.fixture
def frame() -> pd.DataFrame:
    """200 women of whom 40 are flagged, 200 men of whom 100 are; a quarter of each default."""
    frame = pd.DataFrame(
        {
            "sex": ["female"] * 200 + ["male"] * 200,
            "label": [True] * 50 + [False] * 150 + [True] * 50 + [False] * 150,
        }
    )
    frame["flagged"] = False
    frame.loc[:29, "flagged"] = True  # 30 of 50 women who default
    frame.loc[50:59, "flagged"] = True  # 10 of 150 who do not
    frame.loc[200:239, "flagged"] = True  # 40 of 50 men
    frame.loc[250:309, "flagged"] = True  # 60 of 150
    frame["score"] = frame["flagged"] * 0.5 + np.linspace(0, 0.1, 400)
    return frame


def test_rates_are_shares_of_the_right_rows(frame):
    rows = table(frame, "sex")
    women, men = rows["sex", "female"], rows["sex", "male"]
    assert (women.n, men.n) == (200, 200)
    assert (women.selection_rate, men.selection_rate) == (0.8, 0.5)
    assert (women.false_negative_rate, men.false_negative_rate) == pytest.approx((0.4, 0.2))
    assert (women.false_positive_rate, men.false_positive_rate) == pytest.approx((1 / 15, 0.4))
    assert (women.disparate_impact, men.disparate_impact) == (1.0, 0.625)
    assert 0.5 < women.auc < 1


def test_unknown_values_and_attributes_are_left_out(frame):
    frame["education"] = None
    frame.loc[:9, "sex"] = None
    rows = table(frame, "sex", "education")
    assert {attribute for attribute, _ in rows} == {"sex"}
    assert rows["sex", "female"].n == 190


def test_tiny_groups_are_listed_but_not_judged(frame):
    frame.loc[[0, 60], "sex"] = "other"
    rows = table(frame, "sex")
    other = rows["sex", "other"]
    assert other.n == 2 < LEAST_GROUP
    assert other.selection_rate == 0.5
    assert (
        other.disparate_impact is other.auc is other.false_negative_rate is other.false_positive_rate is None
    )
    assert rows["sex", "female"].disparate_impact == 1.0


def test_groups_where_all_are_flagged_have_no_impact_to_divide(frame):
    frame["flagged"] = True
    assert table(frame, "sex")["sex", "male"].disparate_impact is None


def test_age_groups_come_by_age():
    frame = pd.DataFrame({"age": [*reversed(AGE_GROUPS)], "label": True, "flagged": False, "score": 0.1})
    assert [group for _, group in table(frame, "age")] == list(AGE_GROUPS)
