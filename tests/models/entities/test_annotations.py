import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import DataError
from finml.models.entities import frames
from finml.models.entities.annotations import labels_of, spans_of
from finml.models.entities.contract import LABELS
from tests.models.entities.sentences import line

GOOD = line("send ₹500 to Rahul", ("₹500", "MONEY"), ("Rahul", "PERSON"))
TEXT = "send ₹500 to Rahul"


def spans(*found: tuple[object, object, object]) -> str:
    return json.dumps(
        {"text": TEXT, "spans": [{"start": s, "end": e, "label": label} for s, e, label in found]}
    )


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("{", "the line is not a JSON object"),
        ('["a"]', "the line is not a JSON object"),
        ('{"spans": []}', "the text is missing, blank or not Unicode"),
        ('{"text": "  ", "spans": []}', "the text is missing, blank or not Unicode"),
        ('{"text": 7, "spans": []}', "the text is missing, blank or not Unicode"),
        ('{"text": "\\ud800", "spans": []}', "the text is missing, blank or not Unicode"),
        (json.dumps({"text": "x" * 513, "spans": []}), "the text has 513 characters, at most 512 are read"),
        ('{"text": "a\\u0000b", "spans": []}', "the text must not hold control characters"),
        ('{"text": "a\\u0085b", "spans": []}', "the text must not hold control characters"),
        ('{"merchant": "a\\u001bb"}', "the text must not hold control characters"),
        ('{"text": "hi"}', "the spans are not a list"),
        ('{"text": "hi", "spans": {}}', "the spans are not a list"),
        ('{"text": "hi", "spans": [3]}', "a span lacks start, end or label"),
        (spans((5, 9, "GOLD")), "unknown label 'GOLD'"),
        (spans((5, 9, ["MONEY"])), "unknown label \"['MONEY']\""),
        (spans((5.5, 9, "MONEY")), "the offsets 5.5 and 9 are no whole numbers"),
        (spans((True, 9, "MONEY")), "the offsets True and 9 are no whole numbers"),
        (spans((5, 5, "MONEY")), "MONEY 5-5 is empty"),
        (spans((9, 5, "MONEY")), "MONEY 9-5 is out of range, the text has 18 characters"),
        (spans((-2, 5, "MONEY")), "MONEY -2-5 is out of range, the text has 18 characters"),
        (spans((5, 99, "MONEY")), "MONEY 5-99 is out of range, the text has 18 characters"),
        (spans((4, 9, "MONEY")), "MONEY 4-9 ' ₹500' begins or ends with blanks"),
        (spans((13, 16, "PERSON")), "PERSON 13-16 'Rah' splits a word"),
        (spans((5, 8, "MONEY")), "MONEY 5-8 '₹50' splits a word"),
        (spans((5, 9, "MONEY"), (6, 9, "MONEY")), "MONEY 5-9 and MONEY 6-9 overlap"),
        (json.dumps({"text": "hi", "spans": [], "annotated": ["GOLD"]}), "unknown types are annotated: GOLD"),
        (json.dumps({"text": "hi", "spans": [], "annotated": "MONEY"}), "annotated is not a list of types"),
        (line("₹500", ("₹500", "MONEY"), annotated=["DATE"]), "MONEY is not among the annotated types"),
        ('{"merchant": ""}', "the text is missing, blank or not Unicode"),
    ],
)
def test_a_broken_line_is_kept_with_its_line_and_reason(broken, reason, tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text(f"{GOOD}\n\n{broken}\n{GOOD}\n", encoding="utf-8")
    rows = frames.read(file)
    assert rows["problem"].tolist() == ["", reason, ""]
    assert frames.words(rows) == f"line 3: {reason}"


def test_every_span_that_is_wrong_is_named():
    with pytest.raises(DataError, match=r"line 1: unknown label 'GOLD'; MONEY 5-99 is out of range"):
        frames.checked(frame_of(spans((0, 4, "GOLD"), (5, 99, "MONEY"))))


def frame_of(*lines: str):
    return frames._from_lines("\n".join(lines))


def test_entities_are_read_as_spans_are(tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text(GOOD.replace('"spans"', '"entities"'), encoding="utf-8")
    (row,) = frames.read(file).itertuples()
    assert [(span.label, TEXT[span.start : span.end]) for span in spans_of(row.spans)] == [
        ("MONEY", "₹500"),
        ("PERSON", "Rahul"),
    ]
    assert labels_of(row.annotated) == set(LABELS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("राहुल को भेजो", "राहुल"),
        ("₹५००भेजो", "₹५००"),
        ("50kya", "50"),
        ("Sanuj's account", "Sanuj"),
        ("👨‍👩‍👧 bill ₹500", "₹500"),
    ],
)
def test_a_span_may_end_where_a_word_does_in_any_script(text, words):
    label = "MONEY" if any(one.isdigit() for one in words) else "PERSON"
    assert frames.checked(frame_of(line(text, (words, label))))["problem"].tolist() == [""]


def test_tabs_and_line_breaks_are_part_of_a_text():
    assert frames.checked(frame_of(line("a\tb\r\n₹5", ("₹5", "MONEY"))))["problem"].tolist() == [""]


def test_a_vowel_sign_is_part_of_its_word():
    text = "राहुल को"
    cut = json.dumps({"text": text, "spans": [{"start": 0, "end": 1, "label": "PERSON"}]})
    assert "splits a word" in frames.checked(frame_of(GOOD, cut))["problem"].iloc[1]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["text", "spans", "start", "end", "label", "annotated", "merchant"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_line_of_json_makes_reading_fail(document):
    rows = frames.checked(frame_of(GOOD, json.dumps(document)))
    assert rows["problem"].iloc[0] == ""
    assert len(rows) == 2
