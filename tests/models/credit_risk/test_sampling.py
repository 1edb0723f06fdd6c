import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finml.errors import DataError
from finml.models.credit_risk.sampling import later_rows, user_folds
from tests.models.credit_risk.loans import loans


def test_a_quarter_of_the_users_is_held_out_and_none_is_in_both_parts(model):
    frame = loans(4000, users=1500)
    kept, held_out = model.split(frame)
    assert not set(kept["user_id"]) & set(held_out["user_id"])
    assert len(kept) + len(held_out) == 4000
    assert held_out["user_id"].nunique() == pytest.approx(375, abs=60)
    assert held_out["defaulted"].mean() == pytest.approx(kept["defaulted"].mean(), abs=0.05)


def test_a_user_who_is_held_out_stays_so_whatever_else_changes(model):
    frame = loans(400, users=300)
    held_out = set(model.split(frame)[1]["user_id"])
    relabelled = frame.assign(defaulted=~frame["defaulted"])
    for other in (frame.sample(frac=1, random_state=0), frame.sample(frac=0.5, random_state=0), relabelled):
        assert set(model.split(other)[1]["user_id"]) == held_out & set(other["user_id"])


@pytest.mark.parametrize("defaulters", [0, 1])
def test_too_few_defaulters_cannot_be_split_or_folded(model, defaulters):
    frame = loans(50)
    frame["defaulted"] = [True] * defaulters + [False] * (50 - defaulters)
    with pytest.raises(DataError, match="too few users of one outcome"):
        model.split(frame)
    with pytest.raises(DataError, match="too few users of one outcome"):
        user_folds(frame["user_id"], frame["defaulted"], 5, 0)


@given(st.integers(2, 40), st.integers(2, 6), st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_folds_score_each_row_once_and_keep_users_together(defaulters, folds, seed):
    users = pd.Series([f"u{place % 60}" for place in range(150)])
    label = users.isin([f"u{place}" for place in range(defaulters)])
    parts = user_folds(users, label, folds, seed)
    assert len(parts) == min(folds, defaulters)
    assert sorted(np.concatenate([scored for _, scored in parts])) == list(range(150))
    for fitted, scored in parts:
        assert not set(users[fitted]) & set(users[scored])
        assert label[scored].any()
        assert len(fitted) + len(scored) == 150


def test_later_rows_are_later_and_of_other_users():
    frame = loans(4000, users=2500, moments=300)
    earlier, later = later_rows(
        frame["event_timestamp"], frame["user_id"], frame["defaulted"], share=0.2, least=50
    )
    times, users = frame["event_timestamp"], frame["user_id"]
    assert times[earlier].max() < times[later].min()
    assert not set(users[earlier]) & set(users[later])
    assert len(later) == pytest.approx(800, abs=50)


def test_one_moment_or_few_outcomes_offer_no_later_rows():
    frame = loans(1000)
    columns = frame["event_timestamp"], frame["user_id"], frame["defaulted"]
    assert later_rows(*columns, share=0.2, least=1) is None
    frame = loans(1000, moments=300)
    columns = frame["event_timestamp"], frame["user_id"], frame["defaulted"]
    assert later_rows(*columns, share=0.2, least=1) is not None
    assert later_rows(*columns, share=0.2, least=500) is None
