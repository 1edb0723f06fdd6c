"""Span lists are judged by what they say of their text, and nothing that is typed breaks the judge."""

import json

from hypothesis import given
from hypothesis import strategies as st

from finml.ledger.annotations import BROKEN, OUTSIDE, faults

texts = st.text(min_size=1, max_size=20)
places = st.integers(-2, 25)
spans = st.lists(
    st.fixed_dictionaries({"start": places, "end": places, "label": st.just("MONEY")}), max_size=3
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "end", "label"]), inner)
    ),
)


@given(texts, spans)
def test_a_span_is_good_where_it_marks_something(text: str, listed: list[dict[str, int]]) -> None:
    marked = [text[max(span["start"], 0) : span["end"]] for span in listed]
    good = all(
        words and len(words) == span["end"] - span["start"]
        for words, span in zip(marked, listed, strict=True)
    )
    assert faults([json.dumps(listed)], [text]) == [None if good else OUTSIDE]


@given(anything | st.text())
def test_whatever_is_delivered_gets_a_verdict(found: object) -> None:
    listed = found if isinstance(found, str) else json.dumps(found)
    assert faults([listed], ["text"])[0] in {None, BROKEN, OUTSIDE}


def test_rows_are_judged_one_by_one() -> None:
    listed = ["[]", None, "nonsense", '[{"start": 0, "end": 9, "label": "X"}]', "[" * 100_000]
    assert faults(listed, ["a", "b", "c", "d", "e"]) == [None, None, BROKEN, OUTSIDE, BROKEN]
    # a text that is missing is a fault of its own
    assert faults([listed[3]], [None]) == [None]
