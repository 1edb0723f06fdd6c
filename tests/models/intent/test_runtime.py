import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError, ModelError
from finml.models.intent.runtime import IntentPredictor


def test_messages_are_understood(predictor):
    texts = [
        "how much is left in my wallet?",
        "BLOCK my card",
        "send 300 rupees to Rahul",
        "cap travel spending",
    ]
    answers = predictor.answer(texts)
    assert [answer.intent for answer in answers] == ["balance", "card_block", "transfer", "budget"]
    for answer in answers:
        assert answer.alternatives[0] == (answer.intent, answer.confidence)
        assert [share for _, share in answer.alternatives] == sorted(
            (share for _, share in answer.alternatives), reverse=True
        )
        assert answer.intents == ([] if answer.out_of_scope else [answer.intent])
        assert answer.out_of_scope == (answer.scope_score < 0)


def test_what_it_was_not_made_for_is_out_of_scope(predictor):
    inside, outside = predictor.answer(["what is the balance of my wallet", "who won the match in cricket"])
    assert (inside.out_of_scope, outside.out_of_scope) == (False, True)
    assert outside.intents == []
    assert outside.intent in predictor.labels


def test_an_answer_does_not_depend_on_who_else_asks(predictor, parts):
    texts = parts[1]["text"].tolist()
    together, back = predictor.answer(texts), predictor.answer(texts[::-1])[::-1]
    for answer, again, text in zip(together, back, texts, strict=True):
        (alone,) = predictor.answer([text])
        for other in (again, alone):
            assert (answer.intent, answer.intents) == (other.intent, other.intents)
            assert answer.out_of_scope == other.out_of_scope
            assert answer.confidence == pytest.approx(other.confidence, abs=1e-5)
            assert answer.scope_score == pytest.approx(other.scope_score, abs=1e-4)


def test_rows_and_texts_get_the_same_answers(predictor, parts):
    rows = predictor.predict(parts[1].set_index(pd.Index(np.arange(len(parts[1])) + 7)))
    answers = predictor.answer(parts[1]["text"].tolist())
    assert rows.index.tolist() == list(range(7, 7 + len(parts[1])))
    assert rows["intent"].tolist() == [answer.intent for answer in answers]
    assert rows["confidence"].tolist() == [answer.confidence for answer in answers]
    assert rows["scope_score"].tolist() == [answer.scope_score for answer in answers]
    with pytest.raises(DataError, match="no column text"):
        predictor.predict(pd.DataFrame({"words": ["a"]}))


@pytest.mark.parametrize(
    "text",
    [
        "\N{MONEY BAG}\N{MONEY BAG}",
        "....",
        "मेरा बैलेंस कितना है",
        "word " * 100,
        "x" * 512,
        "a\nb\tc",
        "🇮🇳" * 200,
    ],
)
def test_any_text_has_an_answer(predictor, text):
    (answer,) = predictor.answer([text])
    assert np.isfinite([answer.confidence, answer.scope_score]).all()
    assert 0 <= answer.confidence <= 1


def test_no_text_is_no_answer(predictor):
    assert predictor.answer([]) == predictor.explain([]) == []
    assert predictor.predict(pd.DataFrame({"text": []})).empty


def test_quantization_changes_embeddings_little(predictor, parts):
    texts = parts[1]["text"].tolist()
    precise, served = predictor.in_float().embed(texts), predictor.embed(texts)
    assert np.linalg.norm(served, axis=1) == pytest.approx(1, abs=1e-4)
    assert (precise * served).sum(axis=1).min() > 0.97
    assert (precise * served).sum(axis=1).max() < 0.999999


def test_it_knows_the_texts_of_its_training(predictor, parts):
    assert predictor.seen(parts[0]["text"].str.upper().tolist()).all()
    assert not predictor.seen(parts[1]["text"].tolist()).any()


def test_it_serves_without_torch(folder):
    code = (
        "import sys; from pathlib import Path\n"
        "from finml.models.intent.runtime import IntentPredictor\n"
        f"print(IntentPredictor.load(Path({str(folder)!r})).answer(['block my card'])[0].intent)\n"
        "print([name for name in ('torch', 'transformers', 'sklearn', 'onnx') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ["card_block", "[]"]


def test_a_model_folder_holds_nothing_that_is_executed(folder):
    assert sorted(file.name for file in folder.iterdir()) == [
        "encoder.float.onnx",
        "encoder.int8.onnx",
        "head.npz",
        "model.json",
        "texts.npz",
        "tokenizer.json",
    ]
    for name in ("head.npz", "texts.npz"):
        with np.load(folder / name, allow_pickle=False) as parts:
            assert all(part.dtype != object for part in parts.values())


@pytest.mark.parametrize("lacking", ["encoder.int8.onnx", "head.npz", "model.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_refused(folder, tmp_path, lacking):
    copy = shutil.copytree(folder, tmp_path / "model", ignore=shutil.ignore_patterns(lacking, "*.float.onnx"))
    with pytest.raises(ModelError, match="no usable intent model") as caught:
        IntentPredictor.load(copy)
    assert "train a new one" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("encoder.int8.onnx", b"no model"),
        ("tokenizer.json", b"{}"),
        ("head.npz", b"PK"),
        ("model.json", b"{}"),
        ("model.json", b'{"format": 2, "labels": ["a"]}'),
    ],
)
def test_a_spoilt_file_is_refused(folder, tmp_path, name, content):
    copy = shutil.copytree(folder, tmp_path / "model", ignore=shutil.ignore_patterns("*.float.onnx"))
    (copy / name).write_bytes(content)
    with pytest.raises(ModelError, match="no usable intent model"):
        IntentPredictor.load(copy)


def test_another_format_is_refused(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "model", ignore=shutil.ignore_patterns("*.float.onnx"))
    info = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps(info | {"format": 99}))
    with pytest.raises(ModelError, match="format 99"):
        IntentPredictor.load(copy)
