import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import DataError
from finml.models.intent import suggest as module
from finml.models.intent.suggest import read_log, spread_out, suggest

UNSURE = ["send my card a budget", "block the balance", "is it possible", "balance transfer card budget"]


def logged(*texts: str, **columns: list) -> pd.DataFrame:
    return pd.DataFrame({"text": list(texts), **columns})


def test_unsure_texts_come_before_plain_ones(predictor):
    plain = ["show the balance of my second account", "block my old card", "send 70 rupees to Meena"]
    found = suggest(predictor, logged(*plain, *UNSURE), 7, seed=1)
    assert len(found.chosen) == 7
    first = found.chosen[0]
    assert first.text in UNSURE
    assert first.guess in predictor.labels
    assert first.uncertainty == max(each.uncertainty for each in found.chosen)


def test_what_helps_nobody_is_left_out_and_counted(predictor, parts):
    known = parts[0]["text"].iloc[0]
    log = logged(
        "block the balance", "Block the balance!", known.upper() + "?", "ab", "x" * 600, "a\0bc", UNSURE[0]
    )
    found = suggest(predictor, log, 50, seed=1)
    assert {each.text for each in found.chosen} == {"block the balance", UNSURE[0]}
    assert (found.logged, found.unreadable, found.repeated, found.known, found.not_scored) == (7, 3, 1, 1, 0)


def test_near_copies_are_not_chosen_together(predictor):
    copies = [f"block the balance {word}" for word in ("now", "today", "please", "soon")]
    found = suggest(predictor, logged(*copies, UNSURE[0], UNSURE[2]), 3, seed=1)
    assert {UNSURE[0], UNSURE[2]} < {each.text for each in found.chosen}


def test_a_log_with_nothing_new_suggests_nothing(predictor, parts):
    assert suggest(predictor, parts[0][["text"]], 5, seed=1).chosen == []
    assert suggest(predictor, logged(), 5, seed=1).chosen == []


def test_of_a_long_log_the_least_confident_texts_are_looked_at(predictor, monkeypatch):
    monkeypatch.setattr(module, "MOST_SCORED", 2)
    confidence = [0.9, 0.2, 0.8, 0.3]
    found = suggest(predictor, logged(*UNSURE, confidence=confidence), 5, seed=1)
    assert {each.text for each in found.chosen} == {UNSURE[1], UNSURE[3]}
    assert found.not_scored == 2
    one, other = (suggest(predictor, logged(*UNSURE), 5, seed=2) for _ in range(2))
    assert one == other


@given(st.integers(1, 12), st.integers(0, 20), st.integers(0, 100))
def test_rows_are_chosen_once_and_all_if_there_are_few(rows, number, seed):
    random = np.random.default_rng(seed)
    embedding = random.normal(size=(rows, 3))
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    chosen = spread_out(embedding, random.random(rows), number)
    assert len(chosen) == len(set(chosen)) == min(rows, number)


def test_a_log_is_read_whatever_its_shape(tmp_path):
    texts = ["block my card", "what, is left?"]
    requests = [json.dumps({"inputs": [{"text": text}]}) for text in texts]
    pd.DataFrame({"text": texts, "confidence": [0.5, 0.6]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"text": texts}).to_csv(tmp_path / "b.csv", index=False)
    pd.DataFrame({"text": texts}).to_json(tmp_path / "c.jsonl", orient="records", lines=True)
    pd.DataFrame({"model": "intent", "request": requests}).to_parquet(tmp_path / "d.parquet")
    pd.DataFrame({"inputs": [{"text": text} for text in texts]}).to_parquet(tmp_path / "e.parquet")
    (tmp_path / "f.jsonl").write_text("\n".join(json.dumps({"inputs": {"text": text}}) for text in texts))
    for file in sorted(tmp_path.iterdir()):
        assert read_log(file)["text"].tolist() == texts, file.name
    assert read_log(tmp_path / "a.parquet")["confidence"].tolist() == [0.5, 0.6]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("log.txt", b"", ".txt file"),
        ("log.csv", b"words\nhello\n", "holds no text"),
        ("log.parquet", b"PAR1", "cannot be read"),
        ("log.jsonl", b'{"inputs": "{not json"}\n', "holds no text"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_log(tmp_path / name)
