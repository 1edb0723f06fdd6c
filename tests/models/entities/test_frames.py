import json
import warnings

import pandas as pd
import pytest

from finml.errors import DataError
from finml.models.entities import frames
from tests.models.entities.sentences import line, messages

LINES = [
    line(f"send ₹{number} to Rahul", (f"₹{number}", "MONEY"), ("Rahul", "PERSON")) for number in range(400)
]


@pytest.fixture
def file(tmp_path):
    target = tmp_path / "texts.jsonl"
    target.write_text("\n".join([*LINES, '{"merchant": "Swiggy"}', '{"text": "x"}']), encoding="utf-8")
    return target


def test_a_frame_comes_back_from_parquet_as_it_was(model, file, tmp_path):
    rows = model.read(file)
    rows.to_parquet(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(model.training_frame(pd.read_parquet(tmp_path / "rows.parquet")), rows)
    pd.testing.assert_frame_equal(model.read(tmp_path / "rows.parquet"), rows)


def test_about_a_fifth_of_the_texts_is_held_out_and_nothing_is_lost(model, file):
    rows = model.read(file)
    kept, held_out = model.split(rows)
    assert len(kept) + len(held_out) == len(rows)
    assert 0.14 < len(held_out) / len(rows) < 0.26
    assert set(held_out["role"]) == {"text"}
    assert (held_out["problem"] == "").all()
    assert kept["line"].iloc[-2:].tolist() == [401, 402]


def test_a_text_stays_in_its_part_when_rows_come_and_its_case_and_punctuation_change(model):
    few = model.split(model.training_frame(frames._from_lines("\n".join(LINES[:50]))))[1]
    louder = [json.dumps(json.loads(one) | {"text": json.loads(one)["text"].upper() + "!!"}) for one in LINES]
    many = model.split(model.training_frame(frames._from_lines("\n".join(louder))))[1]
    assert set(few["text"].str.upper() + "!!") <= set(many["text"])


def test_no_text_is_in_both_parts(model):
    kept, held_out = model.split(model.training_frame(messages(1500)))
    normal = [{frames.place(text) for text in part["text"]} for part in (kept, held_out)]
    assert not normal[0] & normal[1]


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("texts.csv", "text,spans", "is a .csv file"),
        ("texts.jsonl", "", "holds no line"),
        ("texts.jsonl", "\n\n", "holds no line"),
        ("texts.jsonl", '{"text": "x"}', "no annotated text can be used: line 1: the spans are not a list"),
        ("texts.jsonl", '{"merchant": "Swiggy"}', "no annotated text can be used"),
        ("texts.parquet", "not parquet", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(model, tmp_path, name, contents, message):
    (tmp_path / name).write_text(contents)
    with pytest.raises(DataError, match=message) as caught:
        model.read(tmp_path / name)
    assert caught.value.hint


def test_a_file_that_is_not_there_or_not_utf8_is_refused(model, tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        model.read(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes('{"text": "£5", "spans": []}'.encode("latin-1"))
    with pytest.raises(DataError, match="cannot be read"):
        model.read(tmp_path / "latin.jsonl")


def test_a_frame_without_its_columns_is_refused(model):
    with pytest.raises(DataError, match="columns are missing from the annotated texts: spans"):
        model.training_frame(pd.DataFrame({"text": ["a"]}))


@pytest.mark.parametrize("broken", ["[" * 20_000, '{"text": "a", "spans": ' + "[" * 900 + "]" * 900 + "}"])
def test_a_line_that_is_nested_too_deeply_has_its_problem(model, tmp_path, broken):
    target = tmp_path / "texts.jsonl"
    target.write_text("\n".join([LINES[0], broken]), encoding="utf-8")
    assert [bool(one) for one in model.read(target)["problem"]] == [False, True]


@pytest.mark.parametrize(
    ("column", "values", "problem"),
    [
        ("line", ["7", "second"], "the number of its line is no whole number"),
        ("line", [7.0, 1.5], "the number of its line is no whole number"),
        ("line", [7.0, float("inf")], "the number of its line is no whole number"),
        ("spans", ["[]", "[" * 20_000], "the spans are nested too deeply"),
        ("annotated", [None, b"x"], "annotated is not a list of types"),
        ("text", ["a", "a\x00b"], "the text must not hold control characters"),
        ("role", ["text", "song"], "the line is not a JSON object"),
    ],
)
def test_a_row_of_parquet_that_cannot_be_used_has_its_problem(model, tmp_path, column, values, problem):
    rows = pd.DataFrame({"text": ["a", "b"], "spans": ["[]", "[]"]})
    rows[column] = values
    rows.to_parquet(tmp_path / "rows.parquet")
    found = model.read(tmp_path / "rows.parquet")
    assert found["problem"].tolist() == ["", problem]
    assert found["line"].iloc[0] == (7 if column == "line" else 0)


def test_reading_warns_of_nothing(model, file):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.training_frame(model.read(file).assign(role=None, line=None, language=None))


def test_many_problems_are_counted_and_some_are_listed():
    rows = frames.checked(frames._from_lines("\n".join([LINES[0], *['{"text": "x"}'] * 30])))
    assert frames.words(rows).endswith("; and 20 more")


def test_the_spine_is_every_annotated_message_and_every_merchant(model, tmp_path):
    pd.DataFrame(
        {
            "text": ["pay ₹5", "hello", "unlabelled"],
            "spans": ['[{"start": 4, "end": 6, "label": "MONEY"}]', "[]", None],
            "language": ["en", None, "en"],
        }
    ).to_parquet(tmp_path / "messages.parquet")
    pd.DataFrame({"merchant": ["Uber", "Amazon", None, "Uber"]}).to_parquet(tmp_path / "transactions.parquet")
    rows = model.training_frame(model.spine(tmp_path))
    assert rows[["role", "text"]].values.tolist() == [
        ["text", "pay ₹5"],
        ["text", "hello"],
        ["merchant", "Amazon"],
        ["merchant", "Uber"],
    ]


@pytest.mark.parametrize("there", [True, False])
def test_a_ledger_without_annotated_messages_says_what_to_do(model, tmp_path, there):
    if there:
        frame = pd.DataFrame({"text": ["a"], "spans": pd.Series([None], dtype=object), "language": ["en"]})
        frame.to_parquet(tmp_path / "messages.parquet")
    with pytest.raises(DataError, match="holds no annotated message") as caught:
        model.spine(tmp_path)
    assert "--data" in caught.value.hint
