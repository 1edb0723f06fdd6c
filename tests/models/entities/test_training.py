import json

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError, ModelError, UsageError
from finml.models.base import TrainOptions
from finml.models.entities import frames, pretrained
from finml.models.entities.contract import EntitiesInput
from finml.settings import get_settings
from tests.models.entities.sentences import line

NAMES = ["Rahul", "Priya", "Amit", "Neha", "Suresh", "Anjali", "Vikram", "Pooja", "Arjun", "Kavya"]
SHOPS = ["Kopi", "Zuda", "Mintra", "Lavo"]
LINES = [
    *(
        line(f"send ₹{number} to {name}", (f"₹{number}", "MONEY"), (name, "PERSON"))
        for number in range(11, 15)
        for name in NAMES
    ),
    *(
        line(f"spend at {shop} for {name}", (shop, "MERCHANT"), (name, "PERSON"))
        for shop in SHOPS
        for name in NAMES
    ),
]
ONE_EPOCH = TrainOptions(seed=1, params={"epochs": 1})


def frame(*lines: str) -> pd.DataFrame:
    return frames.checked(frames._from_lines("\n".join(lines)))


def info(folder) -> dict:
    return json.loads((folder / "model.json").read_text())


@pytest.fixture
def settings(monkeypatch):
    def set_base(value: str) -> None:
        monkeypatch.setenv("FINML_ENTITIES_BASE", value)
        get_settings.cache_clear()

    yield set_base
    get_settings.cache_clear()


def test_the_same_seed_gives_the_same_model(model, tmp_path):
    for name in ("one", "two"):
        model.train(frame(*LINES), tmp_path / name, ONE_EPOCH)
    for file in ("ner/ner/model", "catalogue.json", "texts.npz", "model.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_bad_rows_are_left_out_and_counted_with_their_reason(model, tmp_path):
    crossed = '{"text": "pay Rahul", "spans": [{"start": 4, "end": 9, "label": "WHO"}]}'
    # the currency's sign is of one token with the letters behind it
    token = json.dumps({"text": "pay a.b.c.d", "spans": [{"start": 4, "end": 5, "label": "PERSON"}]})
    result = model.train(frame(*LINES, crossed, "{", token), tmp_path, ONE_EPOCH)
    training = info(tmp_path)["training"]
    assert training["texts"] == len(LINES)
    assert training["left_out"] == {
        "text rows that break the contract": 1,
        "broken rows that break the contract": 1,
        "an annotation splits a token": 1,
    }
    assert training["problems"] == "line 81: unknown label 'WHO'; line 82: the line is not a JSON object"
    assert result.metrics["rows_left_out"] == 3


def test_the_training_texts_are_known_again_and_no_others(model, tmp_path):
    model.train(frame(*LINES), tmp_path, ONE_EPOCH)
    seen = model.load(tmp_path).seen(["SEND ₹11, to  Rahul!", "send ₹10 to Rahul"])
    assert seen.tolist() == [True, False]


@pytest.mark.parametrize(
    ("share", "stopped_by"), [(0.1, "texts kept from training"), (0, "the training texts")]
)
def test_what_training_stopped_by_is_said(model, tmp_path, share, stopped_by):
    options = TrainOptions(seed=1, params={"epochs": 1, "stopping_share": share})
    model.train(frame(*LINES), tmp_path, options)
    training = info(tmp_path)["training"]
    assert training["stopped_by"] == stopped_by
    assert (training["stopping_texts"] == 0) == (share == 0)


def test_the_catalogue_is_the_merchants_that_are_given(model, tmp_path):
    model.train(frame(*LINES, '{"merchant": "Kopi House"}'), tmp_path, ONE_EPOCH)
    assert model.load(tmp_path).catalogue.names == ["Kopi House"]


def test_without_merchants_the_catalogue_is_those_of_the_texts(model, tmp_path):
    model.train(frame(*LINES), tmp_path, ONE_EPOCH)
    assert model.load(tmp_path).catalogue.names == sorted(SHOPS)


def test_types_that_were_not_looked_for_are_filled_in_by_rules():
    from finml.models.entities.training import _examples

    nlp = pretrained.recogniser(pretrained.find_base(), 1)
    rows = frame(
        line("send ₹500 to Rahul tomorrow", ("Rahul", "PERSON"), annotated=["PERSON", "MONEY"]),
        line("send ₹500 to Rahul tomorrow", ("Rahul", "PERSON")),
    )
    (filled, whole), _ = _examples(nlp, rows)
    assert [span.label for span in filled[1]] == ["PERSON", "DATE"]
    assert [span.label for span in whole[1]] == ["PERSON"]


def test_an_unknown_parameter_is_refused(model, tmp_path):
    with pytest.raises(UsageError, match="no parameter speed") as caught:
        model.train(frame(*LINES), tmp_path, TrainOptions(params={"speed": 9}))
    assert "epochs" in caught.value.hint


def test_no_usable_text_is_refused(model, tmp_path):
    rows = frame(*LINES)
    with pytest.raises(DataError, match="no text to train on"):
        model.train(rows[rows["text"] == ""], tmp_path, ONE_EPOCH)
    assert not (tmp_path / "model.json").exists()


def test_a_base_that_is_not_there_is_named(model, settings, tmp_path):
    settings("no_such_pipeline")
    (words,) = model.missing_weights()
    assert "no_such_pipeline" in words
    with pytest.raises(ModelError, match="no pretrained spaCy pipeline") as caught:
        model.train(frame(*LINES), tmp_path, ONE_EPOCH)
    assert "FINML_ENTITIES_BASE" in caught.value.hint


def test_a_folder_can_be_the_base(model, settings, folder):
    settings(str(folder / "ner"))
    assert model.missing_weights() == []
    assert pretrained.recogniser(pretrained.find_base(), 1).pipe_names == ["ner"]


def test_a_base_without_a_recogniser_is_refused(settings, tmp_path):
    import spacy

    spacy.blank("en").to_disk(tmp_path)
    settings(str(tmp_path))
    with pytest.raises(ModelError, match="no recogniser to start from"):
        pretrained.recogniser(pretrained.find_base(), 1)


def test_the_time_limit_stops_training_after_an_epoch(model, tmp_path):
    result = model.train(frame(*LINES), tmp_path, TrainOptions(seed=1, timeout_s=0.0))
    assert result.params["epoch"] == 1
    assert model.load(tmp_path).extract([EntitiesInput.of("send ₹11 to Rahul")])[0]


def test_the_recogniser_learns_names_that_it_never_saw(predictor, parts):
    seen = set(parts[0]["text"])
    rows = parts[1][~parts[1]["text"].isin(seen)]
    found = [
        one.type
        for entities in predictor.extract([EntitiesInput.of(text) for text in rows["text"]])
        for one in entities
    ]
    assert np.isin(["MERCHANT", "PERSON", "CATEGORY", "ACCOUNT", "CARD"], found).all()
