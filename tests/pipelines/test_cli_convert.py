import json


def test_a_public_set_becomes_annotated_lines(finml, tmp_path):
    (tmp_path / "turns.jsonl").write_text(
        json.dumps({"utterance": "Send $5.", "spans": [{"start": 5, "end": 7, "slot": "amount"}]}) + "\n"
    )
    output = tmp_path / "out" / "sgd.jsonl"
    outcome = finml("data", "convert", "sgd", str(tmp_path), "--output", str(output), "--json")
    assert outcome.document == {"output": str(output), "lines": 1}
    assert json.loads(output.read_text())["spans"] == [{"start": 5, "end": 7, "label": "MONEY"}]


def test_a_folder_of_something_else_is_refused_with_what_to_do(finml, tmp_path):
    outcome = finml("data", "convert", "nlupp", str(tmp_path), "--output", str(tmp_path / "x.jsonl"))
    assert outcome.code == 1
    assert "holds no file fold*.json" in outcome.stderr
    assert not (tmp_path / "x.jsonl").exists()
