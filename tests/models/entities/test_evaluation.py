import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.errors import DataError
from finml.models.entities import frames
from finml.models.entities.annotations import Span
from finml.models.entities.contract import LABELS
from finml.models.entities.scoring import by_type, compare, counts, figures, measure
from tests.models.entities.sentences import line

METRICS = {"precision", "recall", "f1"}


def frame(*lines: str) -> pd.DataFrame:
    return frames.checked(frames._from_lines("\n".join(lines)))


def test_every_figure_has_an_interval(evaluation):
    assert set(evaluation.metrics) == METRICS
    for figure in evaluation.metrics.values():
        assert figure.low <= figure.value <= figure.high
    assert evaluation.metrics["f1"].low > 0.7


def test_scalars_and_breakdown_are_of_these_rows(parts, evaluation):
    scalars = evaluation.scalars
    assert scalars["n"] == len(parts[1])
    assert 0 < scalars["latency_p50_ms"] <= scalars["latency_p95_ms"]
    assert scalars["texts_per_second"] > 20
    assert scalars["valued_share"] > 0.9
    types = evaluation.breakdown["type"]
    assert sum(row["n"] for row in types.values()) == scalars["spans"]
    assert sum(row["texts"] for row in evaluation.breakdown["language"].values()) == len(parts[1])


def test_the_same_seed_gives_the_same_figures(model, predictor, parts, evaluation):
    again = model.evaluate(predictor, parts[1], champion=None, seed=5)
    assert again.metrics == evaluation.metrics
    assert again.breakdown == evaluation.breakdown


def test_a_model_does_not_differ_from_itself(model, predictor, parts):
    found = model.evaluate(predictor, parts[1], champion=predictor, seed=5)
    assert {name: delta.value for name, delta in found.versus_champion.items()} == dict.fromkeys(METRICS, 0)


def test_only_the_right_type_with_both_offsets_counts(model, predictor):
    right = line("send ₹500 now", ("₹500", "MONEY"))
    off = line("send ₹500 now", ("send ₹500", "MONEY"))
    other = line("send ₹500 now", ("₹500", "PERCENT"))
    assert model.evaluate(predictor, frame(right), champion=None, seed=1).metrics["f1"].value == 1
    for wrong in (off, other):
        assert model.evaluate(predictor, frame(wrong), champion=None, seed=1).metrics["f1"].value == 0


def test_a_type_that_was_not_looked_for_is_not_held_against_the_model(model, predictor):
    text = "send ₹500 on 12/05/2026"
    whole = model.evaluate(predictor, frame(line(text, ("₹500", "MONEY"))), champion=None, seed=1)
    partly = frame(line(text, ("₹500", "MONEY"), annotated=["MONEY"]))
    assert whole.metrics["precision"].value == 0.5
    assert model.evaluate(predictor, partly, champion=None, seed=1).metrics["precision"].value == 1


def test_rows_that_break_the_contract_stop_an_evaluation_and_are_named(model, predictor):
    rows = frame(
        line("send ₹500", ("₹500", "MONEY")),
        '{"text": "a", "spans": [{"start": 0, "end": 9, "label": "MONEY"}]}',
    )
    with pytest.raises(DataError, match=r"1 rows cannot be measured on: line 2: MONEY 0-9 is out of range"):
        model.evaluate(predictor, rows, champion=None, seed=1)


def test_texts_without_entities_are_measured_as_far_as_they_go(model, predictor):
    found = model.evaluate(predictor, frame(line("hello there"), line("ok")), champion=None, seed=1)
    assert "recall" not in found.metrics
    assert found.scalars["spans"] == 0


def test_merchants_are_no_texts(model, predictor):
    rows = frame(line("send ₹500", ("₹500", "MONEY")), '{"merchant": "Swiggy"}')
    assert model.evaluate(predictor, rows, champion=None, seed=1).scalars["n"] == 1


spans = st.sets(
    st.builds(Span, st.integers(0, 3), st.integers(4, 6), st.sampled_from(LABELS[:3])), max_size=4
)


@given(st.lists(st.tuples(spans, spans), min_size=1, max_size=6))
def test_counts_agree_with_sets(pairs):
    truth, found = [one for one, _ in pairs], [other for _, other in pairs]
    total = counts(truth, found).sum(axis=(0, 1))
    right = sum(len(one & other) for one, other in pairs)
    assert total.tolist() == [right, sum(map(len, found)) - right, sum(map(len, truth)) - right]
    value = figures(total)
    if right:
        precision, recall = right / sum(map(len, found)), right / sum(map(len, truth))
        assert value["f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert sum(row["n"] for row in by_type(counts(truth, found)).values()) == sum(map(len, truth))


def test_texts_of_one_group_are_drawn_together():
    right, wrong = [{Span(0, 1, "MONEY")}], [{Span(0, 2, "MONEY")}]
    once = counts(right * 6 + right * 4, right * 6 + wrong * 4)
    many = np.repeat(once, 50, axis=0)
    alone = measure(once, groups=range(10), seed=1)["f1"]
    repeated = measure(many, groups=np.repeat(np.arange(10), 50), seed=1)["f1"]
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high))
    delta = compare(many, np.roll(many, 50, axis=0), groups=np.repeat(np.arange(10), 50), seed=1)["f1"]
    assert delta.high - delta.low > 0.2


def test_the_model_reads_each_text_once_beside_the_timing(model, predictor, parts, monkeypatch):
    rows, read = parts[1].head(150), []
    spans = predictor.spans
    monkeypatch.setattr(predictor, "spans", lambda texts: read.append(len(texts)) or spans(texts))
    model.evaluate(predictor, rows, champion=None, seed=1)
    assert read.count(len(rows)) == 1


def test_a_frame_without_texts_is_refused(model, predictor, parts):
    with pytest.raises(DataError, match="no text to measure on"):
        model.evaluate(predictor, parts[1].head(0), champion=None, seed=1)


def test_figures_of_nothing_are_no_numbers():
    assert all(np.isnan(value) for value in figures([0, 0, 0]).values())
