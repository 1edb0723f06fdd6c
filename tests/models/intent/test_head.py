import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from finml.models.intent.head import SCOPE_SCORES, Head, sigmoid, softmax

LOGITS = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
    elements=st.floats(-200, 200, width=32),
)


def head(classes: int = 3, width: int = 4, **changes) -> Head:
    random = np.random.default_rng(1)
    weight = random.normal(size=(classes, width)).astype(np.float32)
    return Head(weight, random.normal(size=classes).astype(np.float32), **changes)


@given(LOGITS)
def test_probabilities_are_probabilities(logits):
    one, each = softmax(logits), sigmoid(logits)
    assert np.allclose(one.sum(axis=1), 1, atol=1e-5)
    assert np.all((one >= 0) & (one <= 1) & (each >= 0) & (each <= 1))
    likeliest = logits.argmax(axis=1)
    assert np.array_equal(one[np.arange(len(one)), likeliest], one.max(axis=1))


@given(LOGITS, st.booleans(), st.floats(0.1, 0.9))
def test_the_likeliest_intent_is_always_decided_on(logits, multiple, cutoff):
    found = head(multiple=multiple, cutoff=cutoff)
    probabilities = found.probabilities(logits)
    decided = found.decided(probabilities)
    assert decided[np.arange(len(logits)), probabilities.argmax(axis=1)].all()
    assert multiple or (decided.sum(axis=1) == 1).all()


@given(LOGITS, st.booleans(), st.sampled_from(sorted(SCOPE_SCORES)))
def test_every_scope_score_rises_with_the_logits(logits, multiple, kind):
    found = head(multiple=multiple)
    score = SCOPE_SCORES[kind]
    before = score(found, logits)
    raised = logits.copy()
    raised[np.arange(len(logits)), logits.argmax(axis=1)] += 1
    assert np.isfinite(before).all()
    assert np.all(score(found, raised) >= before - 1e-5)


def test_a_temperature_changes_confidence_and_no_decision():
    embedding = np.random.default_rng(2).normal(size=(20, 4)).astype(np.float32)
    sharp, soft = (head(temperature=value).score(embedding).probabilities for value in (0.5, 2.0))
    assert np.array_equal(sharp.argmax(axis=1), soft.argmax(axis=1))
    assert (sharp.max(axis=1) > soft.max(axis=1)).all()


def test_a_saved_head_is_the_same_when_read(tmp_path):
    kept = head(temperature=0.7, multiple=True, cutoff=0.4, scope="energy", scope_threshold=1.5)
    kept.save(tmp_path / "head.npz")
    read = Head.load(tmp_path / "head.npz")
    embedding = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)
    assert np.array_equal(read.score(embedding).scope, kept.score(embedding).scope)
    assert (read.temperature, read.multiple, read.cutoff, read.scope) == (0.7, True, 0.4, "energy")
    assert [file.name for file in tmp_path.iterdir()] == ["head.npz"]


@pytest.mark.parametrize("lacking", ["temperature", "weight", "scope"])
def test_a_head_that_lacks_a_part_is_refused(tmp_path, lacking):
    parts = {name: part for name, part in vars(head()).items() if name != lacking}
    np.savez(tmp_path / "head.npz", **parts)
    with pytest.raises(KeyError, match=lacking):
        Head.load(tmp_path / "head.npz")
