import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finml.models.intent.encoder import (
    FLOAT_FILE,
    MOST_AT_ONCE,
    SLACK,
    STRETCH,
    Encoder,
    packed,
    together,
)
from finml.models.intent.runtime import INFO_FILE, IntentPredictor

TEXTS = [
    "block my card",
    "how much is left in my wallet?",
    "send 300 rupees to Rahul, please, before the shop closes at nine",
    "....",
    "\N{MONEY BAG}\N{MONEY BAG}",
    "मेरा बैलेंस कितना है",
    "x" * 512,
    "word " * 100,
    "why was I charged a fee of 20 pounds when I took money out of a machine abroad last week?",
    "top up",
]
TOKENS = st.lists(st.lists(st.integers(1, 1000), min_size=2, max_size=40), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def encoder(folder) -> Encoder:
    return Encoder.load(folder)


@pytest.fixture(scope="module")
def alone(encoder):
    return np.concatenate([encoder.embed([text]) for text in TEXTS])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=40))
def test_an_embedding_is_the_same_in_company_and_alone(encoder, alone, rows):
    # one step of 8 bits that fell to the other side would change embeddings by a thousand times as much
    assert encoder.embed([TEXTS[row] for row in rows]) == pytest.approx(alone[rows], abs=1e-6)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=40))
def test_a_decision_is_the_same_in_company_and_alone(predictor, rows):
    def decisions(answers):
        return [(answer.intent, answer.intents, answer.out_of_scope) for answer in answers]

    together_ = predictor.answer([TEXTS[row] for row in rows])
    assert decisions(together_) == decisions([predictor.answer([TEXTS[row]])[0] for row in rows])


@given(tokens=TOKENS)
def test_packing_loses_nothing(tokens):
    inputs = packed(tokens)
    padded = inputs["input_ids"][inputs["rows"]]
    lengths = inputs["lengths"]
    assert [row[:length].tolist() for row, length in zip(padded, lengths, strict=True)] == tokens
    assert padded.reshape(-1)[inputs["back"]].tolist() == inputs["input_ids"].tolist()
    assert inputs["positions"].tolist() == [place for text in tokens for place in range(len(text))]


@given(lengths=st.lists(st.integers(1, 128), max_size=100))
def test_texts_computed_at_once_are_few_and_of_about_one_length(lengths):
    groups = list(together(lengths))
    assert sorted(row for rows in groups for row in rows) == list(range(len(lengths)))
    for rows in groups:
        found = [lengths[row] for row in rows]
        assert len(rows) * max(found) <= MOST_AT_ONCE
        assert max(found) <= STRETCH * min(found) + SLACK


def test_the_float_encoder_is_the_network_on_texts_without_company(folder):
    encoder = Encoder.load(folder, FLOAT_FILE)
    found = encoder.embed(TEXTS)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert found == pytest.approx(np.concatenate([encoder.embed([text]) for text in TEXTS]), abs=1e-6)


class _OneByOne:
    """The session of an encoder of format 1, which takes texts of one length."""

    def __init__(self, outputs):
        self._outputs, self.shapes = outputs, []

    def get_inputs(self):
        return ["input_ids"]

    def get_outputs(self):
        return self._outputs

    def run(self, _, inputs):
        self.shapes.append(inputs["input_ids"].shape)
        return [np.repeat(inputs["input_ids"][:, :1], self._outputs[0].shape[1], axis=1)]


def test_an_encoder_of_format_1_is_asked_text_by_text(encoder):
    session = _OneByOne(encoder._session.get_outputs())
    found = Encoder(session, encoder._tokenizer).embed(["block my card", "top up"])
    assert found.shape == (2, encoder.width)
    assert [shape[0] for shape in session.shapes] == [1, 1]


def test_a_folder_of_format_1_is_read(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / INFO_FILE).unlink()
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    (tmp_path / INFO_FILE).write_text(json.dumps({**info, "format": 1}), encoding="utf-8")
    assert IntentPredictor.load(tmp_path).labels == info["labels"]
