from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from finml.errors import DataError, ModelError


def test_figures_are_those_of_the_answers(evaluation, predictor, parts):
    answers = predictor.predict(parts[1])
    inside = (parts[1]["intent"] != "oos").to_numpy()
    asked, said = parts[1]["intent"][inside], answers["intent"][inside]
    assert evaluation.metrics["accuracy"].value == pytest.approx(accuracy_score(asked, said))
    assert evaluation.metrics["macro_f1"].value == pytest.approx(f1_score(asked, said, average="macro"))
    assert evaluation.metrics["oos_auroc"].value == pytest.approx(
        roc_auc_score(inside, answers["scope_score"])
    )
    assert evaluation.metrics["oos_recall"].value == pytest.approx(answers["out_of_scope"][~inside].mean())
    assert evaluation.scalars["in_scope_rejected"] == pytest.approx(answers["out_of_scope"][inside].mean())
    assert evaluation.scalars["n"] == len(parts[1])
    assert evaluation.scalars["n_in_scope"] == inside.sum()
    assert evaluation.scalars["seen_in_training"] == 0


def test_figures_have_intervals_and_latency_is_measured(evaluation):
    assert set(evaluation.metrics) == {
        "accuracy",
        "macro_f1",
        "micro_f1",
        "ece",
        "int8_accuracy_loss",
        "oos_auroc",
        "oos_recall",
    }
    for figure in evaluation.metrics.values():
        assert figure.low <= figure.value <= figure.high
    assert 0 < evaluation.scalars["latency_p50_ms"] <= evaluation.scalars["latency_p95_ms"]


def test_every_intent_has_its_own_figures(evaluation, parts):
    rows = evaluation.breakdown["intent"]
    assert set(rows) == {"balance", "budget", "card_block", "transfer"}
    assert sum(row["n"] for row in rows.values()) == evaluation.scalars["n_in_scope"]
    assert all(0 <= row["f1"] <= 1 for row in rows.values())


def test_without_texts_out_of_scope_nothing_is_said_about_them(model, predictor, parts):
    found = model.evaluate(predictor, parts[1].query("intent != 'oos'"), champion=None, seed=1)
    assert "oos_auroc" not in found.metrics


def test_quantization_s_loss_is_that_against_the_float_model(evaluation, predictor, parts):
    inside = parts[1].query("intent != 'oos'")
    precise = predictor.in_float().predict(inside)["intent"] == inside["intent"]
    served = predictor.predict(inside)["intent"] == inside["intent"]
    assert evaluation.metrics["int8_accuracy_loss"].value == pytest.approx(precise.mean() - served.mean())


def test_texts_of_the_training_are_counted(model, predictor, parts):
    rows = pd.concat([parts[1], parts[0].head(3)])
    assert model.evaluate(predictor, rows, champion=None, seed=1).scalars["seen_in_training"] == 3


def test_labels_that_the_model_does_not_know_are_named(model, predictor, parts):
    with pytest.raises(DataError, match="does not know: crypto, stocks"):
        model.evaluate(
            predictor,
            parts[1].assign(intent=["stocks", "crypto"] + ["balance"] * (len(parts[1]) - 2)),
            champion=None,
            seed=1,
        )


def test_texts_out_of_scope_alone_are_refused(model, predictor, parts):
    with pytest.raises(DataError, match="no text is in scope"):
        model.evaluate(predictor, parts[1].assign(intent="oos"), champion=None, seed=1)


def test_a_champion_that_is_the_same_differs_by_nothing(model, predictor, parts):
    versus = model.evaluate(predictor, parts[1], champion=predictor, seed=1).versus_champion
    assert set(versus) == {"accuracy", "macro_f1", "micro_f1", "ece"}
    assert all((delta.low, delta.high) == (0, 0) for delta in versus.values())


def with_labels(predictor, labels, *, kept=slice(None)):
    """The same network under other labels, with some of its classes."""
    head = replace(predictor.head, weight=predictor.head.weight[kept], bias=predictor.head.bias[kept])
    return type(predictor)(predictor._folder, predictor._encoder, head, predictor.info | {"labels": labels})


def test_a_champion_whose_intents_would_be_lost_cannot_be_compared(model, predictor, parts):
    champion = with_labels(predictor, [*predictor.labels[:-1], "wire"])
    found = model.evaluate(predictor, parts[1], champion=champion, seed=1)
    assert found.versus_champion == {}
    assert found.incomparable == "it knows intents that this version does not: wire"


def test_a_champion_that_knows_fewer_intents_is_wrong_about_the_others(model, predictor, parts):
    champion = with_labels(predictor, predictor.labels[:-1], kept=slice(-1))
    found = model.evaluate(predictor, parts[1], champion=champion, seed=1)
    assert found.incomparable == ""
    assert found.versus_champion["accuracy"].value > 0


@pytest.mark.parametrize("outliers", [1, 2, 3])
def test_few_texts_out_of_scope_are_no_failure(model, predictor, parts, outliers):
    rows = pd.concat([parts[1].query("intent != 'oos'"), parts[1].query("intent == 'oos'").head(outliers)])
    found = model.evaluate(predictor, rows, champion=None, seed=1)
    assert found.scalars["n_out_of_scope"] == outliers
    assert all(np.isfinite(figure.value) for figure in found.metrics.values())


def test_a_predictor_of_another_model_is_refused(model, parts):
    with pytest.raises(ModelError, match="not an intent model"):
        model.evaluate(object(), parts[1], champion=None, seed=1)
