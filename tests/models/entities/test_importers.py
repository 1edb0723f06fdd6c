import json
from pathlib import Path

import pytest

from finml.errors import DataError
from finml.models.entities.annotations import spans_of
from finml.models.entities.importers import SOURCES, convert, mapping_table, write

NLUPP = [
    {"text": "how long does it take"},
    {
        "text": "3661€ to tao since last Monday at 5",
        "slots": {
            "amount_of_money": {"text": "3661€", "span": [0, 5]},
            "person_name": {"text": "tao", "span": [9, 12]},
            "date_from": {"text": "last Monday", "span": [19, 30]},
            "time": {"text": "5", "span": [34, 35]},
        },
    },
]
SGD = {
    "utterance": "Send $1,630 to Amir.",
    "spans": [
        {"start": 15, "end": 19, "slot": "recipient_account_name", "text": "Amir"},
        {"start": 5, "end": 11, "slot": "amount", "text": "$1,630"},
    ],
}
RASA = {
    "text": "pay the minimum balance on my emblem card",
    "spans": [
        {"start": 8, "end": 23, "label": "amount-of-money"},
        {"start": 30, "end": 36, "label": "credit_card"},
        {"start": 37, "end": 41, "label": "account_type"},
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "fold3.json").write_text(json.dumps(NLUPP), encoding="utf-8")
    (tmp_path / "ontology.json").write_text("{}")
    return tmp_path


def named(line):
    return [(line["text"][span["start"] : span["end"]], span["label"]) for span in line["spans"]]


def test_nlupp_becomes_annotated_lines(folder):
    plain, slotted = convert("nlupp", folder)
    assert named(plain) == []
    assert named(slotted) == [("3661€", "MONEY"), ("tao", "PERSON"), ("last Monday", "DATE")]
    assert slotted["annotated"] == ["MONEY", "DATE", "MERCHANT", "PERSON", "CATEGORY"]


@pytest.mark.parametrize(
    ("name", "example", "expected", "annotated"),
    [
        ("sgd", SGD, [("$1,630", "MONEY"), ("Amir", "PERSON")], ["MONEY", "PERSON"]),
        ("rasa", RASA, [("emblem", "CARD"), ("card", "ACCOUNT")], ["MERCHANT", "PERSON", "ACCOUNT", "CARD"]),
    ],
)
def test_the_others_do_too(tmp_path, name, example, expected, annotated):
    (tmp_path / "turns.jsonl").write_text(json.dumps(example, ensure_ascii=False) + "\n", encoding="utf-8")
    (line,) = convert(name, tmp_path)
    assert named(line) == expected
    assert line["annotated"] == annotated


def test_what_is_written_is_what_the_model_reads(model, folder, tmp_path):
    output = tmp_path / "new" / "nlupp.jsonl"
    assert write("nlupp", folder, output) == 2
    rows = model.read(output)
    assert [len(spans_of(spans)) for spans in rows["spans"]] == [0, 3]
    assert (rows["problem"] == "").all()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("not json", "is not a file of NLU"),
        ("[1]", "is not a file of NLU"),
        ('[{"slots": {}}]', "KeyError"),
        ('[{"text": "a", "slots": {"planet": {"span": [0, 1]}}}]', "types that are not mapped: planet"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_nothing_is_written(folder, tmp_path, contents, message):
    (folder / "fold9.json").write_text(contents)
    output = tmp_path / "out.jsonl"
    with pytest.raises(DataError, match=message):
        write("nlupp", folder, output)
    assert not list(tmp_path.glob("out*"))


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"holds no file fold\*\.json") as caught:
        list(convert("nlupp", tmp_path))
    assert "NLU++" in caught.value.hint


def test_every_type_has_a_row_in_the_table_and_a_reason_where_it_is_left_out():
    table = mapping_table().splitlines()
    assert len(table) == 2 + sum(len(source.labels) for source in SOURCES.values())
    for source in SOURCES.values():
        assert {kind for kind, label in source.labels.items() if label is None} == set(source.reasons)
    assert "| SGD, Banks_1 | `balance` | MONEY |" in table


def test_the_page_has_the_table():
    page = Path(__file__).parents[3] / "docs" / "models" / "entities.md"
    assert mapping_table() in page.read_text(encoding="utf-8")
