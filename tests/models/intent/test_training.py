import json
from pathlib import Path

import numpy as np
import pytest
import structlog

from finml.errors import DataError, UsageError
from finml.models.base import TrainOptions
from finml.models.intent.recipe import Recipe
from finml.models.intent.runtime import IntentPredictor
from finml.models.intent.training import fingerprint, validation_rows
from tests.models.intent.conftest import PARAMS, SEED
from tests.models.intent.messages import double_messages, messages


def test_what_a_training_did_is_kept_with_the_model(predictor, parts):
    training = predictor.info["training"]
    assert training["texts"] == len(parts[0])
    assert training["out_of_scope"] == (parts[0]["intent"] == "oos").sum()
    assert training["base"]
    assert 1 <= training["epochs"] <= PARAMS["epochs"]
    assert len(training["history"]) == PARAMS["epochs"]
    assert training["parameters"]["batch"] == PARAMS["batch"]
    assert training["examples"] == parts[0]["intent"].value_counts().drop("oos").sort_index().to_dict()
    assert predictor.info["versions"]["torch"]


def test_the_loss_falls(predictor):
    losses = [row["loss"] for row in predictor.info["training"]["history"]]
    assert losses[-1] < 0.9 * losses[0]


class _Interrupted(BaseException):
    """As when a person or the machine ends the process."""


@pytest.mark.slow
def test_an_interrupted_training_goes_on_and_ends_the_same(train, parts, folder, tmp_path):
    """The first network is done, the second has one epoch behind it."""
    finished = []

    def pull_the_plug(_: object, __: str, event: dict) -> dict:
        finished.append(event["event"])
        if finished.count("epoch_finished") == PARAMS["epochs"] + 1:
            raise _Interrupted
        return event

    checkpoints = tmp_path / "checkpoints"
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[pull_the_plug, *before])
    try:
        with pytest.raises(_Interrupted):
            train(parts[0], tmp_path / "first", checkpoints=checkpoints)
    finally:
        structlog.configure(processors=before)
    assert not (tmp_path / "first" / "model.json").exists()
    assert list(checkpoints.rglob("*.pt"))

    with structlog.testing.capture_logs() as logs:
        train(parts[0], tmp_path / "second", checkpoints=checkpoints)
    assert "training_resumed" in [entry["event"] for entry in logs]
    assert not list(checkpoints.rglob("*.pt"))
    resumed, whole = IntentPredictor.load(tmp_path / "second"), IntentPredictor.load(folder)
    texts = parts[1]["text"].tolist()
    assert np.array_equal(resumed.embed(texts), whole.embed(texts))
    assert resumed.answer(texts) == whole.answer(texts)


def test_other_data_parameters_or_seed_begin_anew():
    rows = messages(10)
    one = fingerprint(rows, Recipe(), 1, "base")
    assert one == fingerprint(rows.copy(), Recipe(), 1, "base")
    others = [
        fingerprint(rows.iloc[1:], Recipe(), 1, "base"),
        fingerprint(rows.assign(intent="x"), Recipe(), 1, "base"),
        fingerprint(rows, Recipe(epochs=2), 1, "base"),
        fingerprint(rows, Recipe(), 2, "base"),
        fingerprint(rows, Recipe(), 1, "other"),
    ]
    assert len({one, *others}) == 6


def test_validation_takes_its_share_and_leaves_every_intent_more_than_half():
    rows = messages(60, outside=60)
    texts = [*rows["text"], *[f"rare text {number}" for number in range(5)]]
    targets = np.zeros((len(texts), 5), dtype=bool)
    labels = sorted(set(rows["intent"]) - {"oos"})
    for at, intent in enumerate(rows["intent"]):
        if intent != "oos":
            targets[at, labels.index(intent)] = True
    targets[len(rows) :, 4] = True
    held = validation_rows(texts, targets, 0.4)
    inside = targets.any(axis=1)
    assert 0.3 < held[inside].mean() <= 0.41
    assert 0.3 < held[~inside].mean() <= 0.41
    assert (2 * (targets & ~held[:, None]).sum(axis=0) > targets.sum(axis=0)).all()
    assert validation_rows(texts, targets, 0.1)[~inside].mean() == pytest.approx(0.3, abs=0.02)


@pytest.mark.slow
def test_texts_with_several_intents_get_all_of_them(model, train, tmp_path):
    kept, held_out = model.split(model.training_frame(double_messages(45)))
    folder = train(kept, tmp_path / "model", params={"epochs": 4, "refit": False})
    predictor = IntentPredictor.load(folder)
    (answer,) = predictor.answer(["block my credit card and then send 500 rupees to Rahul"])
    assert sorted(answer.intents) == ["card_block", "transfer"]
    found = model.evaluate(predictor, held_out, champion=None, seed=1)
    assert found.metrics["micro_f1"].value > 0.85
    assert predictor.head.multiple
    assert 0 < predictor.head.cutoff < 1


def test_parameters_that_do_not_exist_are_refused(model, parts, tmp_path):
    with pytest.raises(UsageError, match="no parameter depth"):
        model.train(parts[0], tmp_path, TrainOptions(params={"depth": 3}))
    assert not list(tmp_path.iterdir())


def test_too_few_texts_are_refused_before_anything_is_computed(model, tmp_path):
    with pytest.raises(DataError, match="too few different texts"):
        model.train(messages(4), tmp_path, TrainOptions(seed=SEED))
    assert not list(tmp_path.iterdir())


def test_an_unreadable_checkpoint_is_told_and_training_begins_anew(tmp_path: Path):
    from finml.models.intent.checkpoints import Checkpoint

    checkpoint = Checkpoint(tmp_path / "first.pt")
    assert checkpoint.read() is None
    checkpoint.write({"history": [], "waited": 2})
    assert checkpoint.read() == {"history": [], "waited": 2}
    checkpoint.file.write_bytes(checkpoint.file.read_bytes()[:20])
    with structlog.testing.capture_logs() as logs:
        assert checkpoint.read() is None
    assert [entry["event"] for entry in logs] == ["checkpoint_unreadable"]


def test_model_json_is_plain(folder):
    assert json.loads((folder / "model.json").read_text())["labels"] == [
        "balance",
        "budget",
        "card_block",
        "transfer",
    ]
