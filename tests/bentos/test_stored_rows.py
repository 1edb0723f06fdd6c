"""Stored features of a batch in which some inputs have none."""

from hypothesis import given
from hypothesis import strategies as st

from bentos.stored_rows import cached, stored_rows
from finml.features.online import FeatureRow

USERS = st.lists(st.none() | st.sampled_from(["u0", "u1", "u2"]), max_size=8)


class Reader:
    """Keeps what it is asked, and answers with it."""

    def __init__(self) -> None:
        self.calls = []

    def read(self, user_ids, request_rows=None) -> list[FeatureRow]:
        self.calls.append((list(user_ids), request_rows))
        told = request_rows or [{}] * len(user_ids)
        return [
            FeatureRow({"user": user, **row}, {}, "fresh") for user, row in zip(user_ids, told, strict=True)
        ]

    def cached(self, user_ids) -> bool:
        return set(user_ids) <= {"u0", "u1"}


@given(USERS, st.booleans())
def test_each_row_is_at_its_input_s_place_and_comes_by_one_call(users, tells):
    told = [{"place": float(place)} for place in range(len(users))] if tells else None
    reader = Reader()
    rows = stored_rows(reader, users, told)
    expected = [
        None if user is None else {"user": user} | (told[place] if told else {})
        for place, user in enumerate(users)
    ]
    assert [row and row.values for row in rows] == expected
    assert len(reader.calls) == any(user is not None for user in users)


@given(USERS)
def test_nobody_is_asked_for_what_is_cached_or_not_wanted(users):
    assert cached(Reader(), users) is ("u2" not in users)
