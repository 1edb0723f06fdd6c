"""A user's place: the same everywhere, uniform, and of its own in every model."""

import math
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from finml.routing.sticky import places

USERS = [f"u{number:08d}" for number in range(20_000)]


def test_places_are_these_for_ever():
    place = places("finml", "credit_risk")
    assert [round(place(user), 6) for user in ("u00000001", "u00000002", "", "é")] == [
        0.793834,
        0.249709,
        0.257514,
        0.443789,
    ]


def test_another_process_gives_the_same_places():
    code = (
        "from finml.routing.sticky import places; p = places('s', 'intent');"
        "print([p(f'u{n}') for n in range(50)])"
    )
    env = {"PYTHONHASHSEED": "123"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    place = places("s", "intent")
    assert said.stdout.strip() == str([place(f"u{n}") for n in range(50)])


@given(st.text(st.characters()), st.text(), st.text())
def test_every_text_has_a_place_below_one(user, salt, model):
    place = places(salt, model)
    assert 0 <= place(user) < 1
    assert place(user) == places(salt, model)(user)


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from(USERS))
def test_a_growing_share_keeps_who_was_in(one, other, user):
    place = places("finml", "intent")(user)
    low, high = sorted((one, other))
    assert not place < low / 100 or place < high / 100


@given(st.sampled_from([1, 5, 10, 25, 50, 90, 99]), st.text(max_size=5))
def test_a_share_is_within_what_chance_allows(percent, salt):
    place = places(salt, "intent")
    share = sum(place(user) < percent / 100 for user in USERS) / len(USERS)
    spread = math.sqrt(percent / 100 * (1 - percent / 100) / len(USERS))
    assert abs(share - percent / 100) < 6 * spread


def test_models_are_independent():
    one, other = places("finml", "intent"), places("finml", "credit_risk")
    both = sum(one(user) < 0.5 and other(user) < 0.5 for user in USERS) / len(USERS)
    assert abs(both - 0.25) < 6 * math.sqrt(0.25 * 0.75 / len(USERS))
