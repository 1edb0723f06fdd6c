import json

import pandas as pd
import pytest
import structlog.testing
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import DataError
from finml.models.intent.frames import contradictory, selection
from finml.models.intent.targets import indicators, known_labels
from finml.models.intent.texts import hashes
from tests.models.intent.messages import messages


def frame(*rows: tuple[object, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["text", "intent"])


def test_texts_are_stripped_and_labels_sorted(model):
    checked = model.training_frame(frame(("  my card\n", "b| a |b")))
    assert checked.to_dict("records") == [{"text": "my card", "intent": "a|b"}]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("ab", "a"), "text: must have 3 to 512 characters .1 rows: 'ab'"),
        (("   ab  ", "a"), "text: must have 3 to 512"),
        (("x" * 513, "a"), "text: must have 3 to 512"),
        (("bell\a rings", "a"), "text: must hold neither control"),
        (("half \ud800 pair", "a"), "text: must hold neither control"),
        (("my card", ""), "intent: must be labels"),
        (("my card", "a||b"), "intent: must be labels"),
        (("my card", "x" * 101), "intent: must be labels"),
        (("my card", "a\tb"), "intent: must be labels"),
        (("my card", "a|oos"), "intent: oos must stand alone"),
        ((None, "a"), "empty: text in 1 rows"),
        (("my card", None), "empty: intent in 1 rows"),
    ],
)
def test_rows_that_cannot_be_meant_are_named(model, row, words):
    with pytest.raises(DataError, match=words) as caught:
        model.training_frame(frame(("a good one", "a"), row))
    assert caught.value.hint


@pytest.mark.parametrize("text", ["xyz", "x" * 512, "नमस्ते जी", "\N{MONEY BAG} sent?", "two\nlines", "null"])
def test_what_people_write_is_accepted(model, text):
    assert model.training_frame(frame((text, "a")))["text"].tolist() == [text]


def test_missing_columns_are_named(model):
    with pytest.raises(DataError, match="intent"):
        model.training_frame(pd.DataFrame({"text": ["my card"]}))
    with pytest.raises(DataError, match="no labelled text"):
        model.training_frame(frame())


def test_contradictory_labels_are_told_and_left_out_of_training(model):
    plain = messages(10, outside=0)
    one, other = sorted(plain["intent"].unique())[:2]
    twice = frame(("Zap my plastic!", one), ("zap my plastic", other))
    rows = pd.concat([plain, twice], ignore_index=True)
    with structlog.testing.capture_logs() as logs:
        checked = model.training_frame(rows)
    (told,) = [entry for entry in logs if entry["event"] == "contradictory_labels"]
    assert told["rows"] == 2
    assert told["places"] == [40, 41]
    assert "plastic" not in str(told)
    taken = selection(checked)
    assert (taken.contradictory, len(taken.frame)) == (2, 40)


def test_an_intent_whose_texts_all_contradict_others_is_named():
    plain = messages(10, outside=0)
    texts = plain["text"].head(5).tolist()
    rows = pd.concat([plain, frame(*((text, "vanished") for text in texts))], ignore_index=True)
    with pytest.raises(DataError, match=r"vanished \(0\)"):
        selection(rows)


def test_a_list_of_labels_is_several_labels(model):
    rows = pd.DataFrame({"text": ["pay my bill and show my balance"], "intent": [["pay_bill", "balance"]]})
    assert model.training_frame(rows)["intent"].tolist() == ["balance|pay_bill"]


@pytest.mark.parametrize("cell", [True, 7, {"a": 1}, [], [1]])
@pytest.mark.parametrize("column", ["text", "intent"])
def test_what_is_no_text_is_refused(model, column, cell):
    rows = pd.DataFrame({"text": ["show my balance"] * 2, "intent": ["balance"] * 2}, dtype=object)
    rows.at[1, column] = cell
    with pytest.raises(DataError, match=f"not text: {column} in 1 rows"):
        model.training_frame(rows)


def test_repetitions_are_taken_once():
    rows = messages(10, outside=0)
    again = rows.assign(text=rows["text"].str.upper() + "?!")
    taken = selection(pd.concat([rows, again], ignore_index=True))
    assert taken.frame["text"].tolist() == rows["text"].tolist()
    assert taken.repeated == 40


def test_intents_with_too_few_texts_are_named():
    rows = pd.concat([messages(10), frame(("one of its kind", "rare"), ("another of it", "rare"))])
    with pytest.raises(DataError, match=r"too few different texts of: rare \(2\)"):
        selection(rows.reset_index(drop=True))
    with pytest.raises(DataError, match="fewer than two intents"):
        selection(messages(10).query("intent in ['oos', 'balance']"))


@given(
    st.lists(
        st.tuples(st.sampled_from(["Pay", "pay!", "Stop", "stop it"]), st.sampled_from("abc")), min_size=1
    )
)
def test_a_text_is_contradicted_exactly_if_another_label_is_there(rows):
    table = frame(*rows)
    found = contradictory(table)
    for at, key in enumerate(hashes(table["text"])):
        same = table[hashes(table["text"]) == key]
        assert found.iloc[at] == (same["intent"].nunique() > 1)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=30, unique=True))
def test_no_text_is_in_both_parts(texts):
    from finml.models.base import get_model

    table = frame(*[(text, "a") for text in [*texts, *(text + "!" for text in texts)]])
    try:
        kept, held_out = get_model("intent").split(table)
    except DataError:
        return
    assert not set(hashes(kept["text"]).tolist()) & set(hashes(held_out["text"]).tolist())
    assert len(kept) + len(held_out) == len(table)


def test_too_few_texts_to_split_are_refused(model):
    with pytest.raises(DataError, match="too few texts to split"):
        model.split(frame(("my card", "a")))


def test_every_kind_of_file_reads_the_same(model, tmp_path):
    rows = frame(
        ('a "quoted" text', "a"), ("two\nlines, and a comma", "b"), ("null", "a"), ("₹500 NA", "b|a")
    )
    rows.to_csv(tmp_path / "rows.csv", index=False)
    rows.to_parquet(tmp_path / "rows.parquet")
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows.to_dict("records")))
    expected = model.training_frame(rows)
    for file in sorted(tmp_path.iterdir()):
        pd.testing.assert_frame_equal(model.read(file), expected)


def test_a_companion_file_is_out_of_scope_whatever_its_labels(model, tmp_path):
    frame(("my card", "a")).to_csv(tmp_path / "in.csv", index=False)
    pd.DataFrame({"text": ["the weather"]}).to_csv(tmp_path / "out.csv", index=False)
    found = model.read(tmp_path / "in.csv", {"out_of_scope": tmp_path / "out.csv"})
    assert found["intent"].tolist() == ["a", "oos"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.txt", b"text,intent\n", ".txt file"),
        ("rows.csv", b"text,intent\n\xff\xfe,a\n", "cannot be read"),
        ("rows.csv", b"", "cannot be read"),
        ("rows.csv", b"words,label\nmy card,a\n", "columns are missing"),
        ("rows.csv", b"text,intent\nmy card,\n", "empty: intent"),
        ("rows.parquet", b"PAR1", "cannot be read"),
        ("rows.jsonl", b"{not json", "cannot be read"),
    ],
)
def test_a_file_of_another_kind_is_refused(model, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        model.read(tmp_path / name)


def test_labelled_messages_of_a_ledger_are_the_spine(model, tmp_path):
    table = pd.DataFrame(
        {
            "message_id": ["3", "2", "1"],
            "text": ["third", "second", "first"],
            "intents": ["oos", None, "balance|budget"],
            "written_at": pd.to_datetime(["2026-03-01", "2026-02-01", "2026-01-01"]),
        }
    )
    table.to_parquet(tmp_path / "messages.parquet")
    rows = [{"text": "first", "intent": "balance|budget"}, {"text": "third", "intent": "oos"}]
    assert model.spine(tmp_path).to_dict("records") == rows
    table.assign(intents=None).to_parquet(tmp_path / "messages.parquet")
    with pytest.raises(DataError, match="no labelled message"):
        model.spine(tmp_path)


def test_indicators_of_labels():
    table = frame(("one", "a|b"), ("two", "oos"), ("three", "b"))
    assert known_labels(table) == ["a", "b"]
    assert indicators(table, ["a", "b"]).tolist() == [[True, True], [False, False], [False, True]]
    with pytest.raises(DataError, match="does not know: b") as caught:
        indicators(table, ["a"])
    assert "train a model on them" in caught.value.hint
