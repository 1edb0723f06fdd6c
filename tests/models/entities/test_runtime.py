import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from finml.errors import ModelError
from finml.models.entities.annotations import spans_of
from finml.models.entities.contract import EntitiesInput
from finml.models.entities.runtime import EntitiesPredictor

NOW = "2026-05-20T12:00:00+05:30"
ODD = [
    "₹५०० भेजो राहुल को",
    "५०० रुपये का बिल 😀 कल",
    "👨‍👩‍👧‍👦 sent ₹1.5 lakh 🎉",
    "é café ₹500 e\u0301",
    "İstanbul ₹500",
    "ﷺ ₹500 ﷺ",
    "राहुल@okaxis ko ५०० do",
    "\u202e₹500\u202c",
    "x" * 512,
    "₹" * 512,
    "1 " * 256,
    "9" * 512,
]


def asked(text: str, **more) -> EntitiesInput:
    return EntitiesInput(text=text, **{"now": NOW, **more})


def values(predictor, text, **more):
    (entities,) = predictor.extract([asked(text, **more)])
    return {(one.type, one.text): one.value for one in entities}


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(min_size=1, max_size=80)
    | st.sampled_from(ODD)
    | st.lists(
        st.sampled_from(["₹", "५००", " ", "😀", "e\u0301", "lakh", "कल", "\n", "card", "4821", "@", "Rs."]),
        max_size=20,
    ).map("".join)
)
def test_offsets_point_into_the_text_as_it_was_typed(predictor, text):
    request = EntitiesInput.of(text)
    (entities,) = predictor.extract([request])
    end = 0
    for one in entities:
        assert text[one.start : one.end] == one.text != ""
        assert end <= one.start
        end = one.end


def test_half_a_character_fails_nothing(predictor):
    (entities,) = predictor.extract([EntitiesInput.of("\ud800 ₹500")])
    assert [(one.start, one.text) for one in entities] == [(2, "₹500")]


@pytest.mark.parametrize(
    ("text", "kind", "words", "amount"),
    [
        ("₹५०० भेजो", "MONEY", "₹५००", "500"),
        ("५०० रुपये का बिल", "MONEY", "५०० रुपये", "500"),
        ("राहुल ko ₹1.5 lakh transfer करो", "MONEY", "₹1.5 lakh", "150000"),
    ],
)
def test_amounts_are_found_in_any_script(predictor, text, kind, words, amount):
    value = values(predictor, text)[kind, words]
    assert (value.amount, value.currency, value.assumed) == (amount, "INR", False)


def test_identifiers_are_found_in_mixed_script(predictor):
    found = values(predictor, "राहुल को rahul@okaxis पर भेजो, IFSC HDFC0001234")
    assert found["UPI", "rahul@okaxis"].id == "rahul@okaxis"
    assert found["IFSC", "HDFC0001234"].id == "HDFC0001234"


def test_a_day_begins_where_the_user_is(predictor):
    text = "what did I spend yesterday"
    late = {"now": "2026-05-20T20:00:00+00:00"}
    delhi = values(predictor, text, **late)["DATE", "yesterday"]
    lima = values(predictor, text, **late, time_zone="America/Lima")["DATE", "yesterday"]
    assert delhi.start.isoformat() == "2026-05-20T00:00:00+05:30"
    assert lima.start.isoformat() == "2026-05-19T00:00:00-05:00"


def test_a_day_on_which_clocks_change_is_as_long_as_it_is(predictor):
    value = values(predictor, "spent today", now="2026-03-29T12:00:00Z", time_zone="Europe/Berlin")[
        "DATE", "today"
    ]
    assert (value.end - value.start).total_seconds() == 24 * 3600  # wall clock
    assert (value.start.isoformat()[-6:], value.end.isoformat()[-6:]) == ("+01:00", "+02:00")


def test_a_bare_amount_takes_the_request_s_currency(predictor):
    text = "send 500 rupees to Rahul"
    assert values(predictor, text, currency="USD")["MONEY", "500 rupees"].currency == "INR"
    from finml.models.entities.candidates import Candidate
    from finml.models.entities.values import Reader

    value = (
        Reader(asked("send 500", currency="USD"), predictor.catalogue).read(Candidate(5, 8, "MONEY")).value
    )
    assert (value.amount, value.currency, value.assumed) == ("500", "USD", True)


def test_a_merchant_is_linked_to_the_ledger_s_name(predictor):
    name = predictor.catalogue.names[0]
    (found,) = predictor.explain([asked(f"how much did I spend at {name} last month")])
    merchants = [one for one in found if one.type == "MERCHANT" and one.kept]
    assert [(one.value.merchant, one.value.score) for one in merchants] == [(name, 1.0)]


def test_a_merchant_of_the_ledger_is_found_where_the_recogniser_misses_it(predictor, monkeypatch):
    monkeypatch.setattr(predictor, "spans", lambda texts: [[] for _ in texts])
    name = predictor.catalogue.names[0]
    (found,) = predictor.explain([asked(f"anything about {name.upper()}?")])
    assert [(one.type, one.text, one.rule, one.value.merchant) for one in found] == [
        ("MERCHANT", name.upper(), "catalogue", name)
    ]


def test_an_explanation_says_what_gave_way_to_what(predictor):
    (found,) = predictor.explain([asked("pay ₹500 kal from 4111 1111 1111 1111")])
    (kal,) = (one for one in found if one.kept and one.text == "kal")
    assert "either way" in kal.reading
    (card,) = (one for one in found if one.kept and one.type == "CARD")
    assert card.value.checked
    assert card.value.last4 == "1111"
    for one in found:
        assert bool(one.reading) == one.kept
        assert one.because.startswith("found by") == one.kept


def test_kept_entities_of_an_explanation_are_the_answer(predictor, parts):
    requests = [asked(text) for text in parts[1]["text"][:100]]
    for entities, found in zip(predictor.extract(requests), predictor.explain(requests), strict=True):
        kept = [(one.type, one.start, one.end, one.value, one.source) for one in found if one.kept]
        assert kept == [(one.type, one.start, one.end, one.value, one.source) for one in entities]


def test_a_batch_answers_as_its_parts_do(predictor, parts):
    requests = [asked(text) for text in parts[1]["text"][:60]]
    assert predictor.extract(requests) == [predictor.extract([one])[0] for one in requests]


def test_threads_get_the_same_answers(predictor, parts):
    requests = [asked(text) for text in parts[1]["text"][:40]]
    alone = predictor.extract(requests)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == alone for found in pool.map(predictor.extract, [requests] * 12))


def test_no_text_stays_in_memory(predictor):
    words = [f"zqxj{number}" for number in range(200)]
    known = len(predictor.nlp.vocab.strings)
    predictor.extract([asked(word) for word in words])
    assert not any(word in predictor.nlp.vocab.strings for word in words)
    assert len(predictor.nlp.vocab.strings) == known


def test_predictions_keep_the_frame_s_index(predictor):
    frame = pd.DataFrame({"text": ["₹500", "hi"]}, index=[7, 3])
    found = predictor.predict(frame)
    assert list(found.index) == [7, 3]
    assert [len(spans_of(spans)) for spans in found["spans"]] == [1, 0]
    assert predictor.predict(frame.head(0)).empty


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("text", "", "at least 1 character"),
        ("text", " \u00a0 ", "more than blanks"),
        ("text", "x" * 513, "at most 512"),
        ("text", "a\x00b", "control characters"),
        ("text", 5, "valid string"),
        ("now", "2026-05-20T12:00:00", "timezone info"),
        ("now", "9999-12-31T23:59:59Z", "years 1900 to 2199"),
        ("time_zone", "Mars/Olympus", "IANA"),
        ("time_zone", "../etc/passwd", "IANA"),
        ("currency", "rupees", "match pattern"),
        ("mood", "good", "not permitted"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(field, value, message):
    with pytest.raises(ValidationError, match=message):
        EntitiesInput.model_validate({"text": "hi", field: value})


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("model.json", None, "no usable entities model"),
        ("model.json", "{", "no usable entities model"),
        ("model.json", '{"format": 99}', "has format 99"),
        ("catalogue.json", None, "no usable entities model"),
        ("catalogue.json", '{"merchants": []}', "no usable entities model"),
        ("texts.npz", None, "no usable entities model"),
        ("texts.npz", "PK\x03\x04", "no usable entities model"),
        ("ner/config.cfg", None, "no usable entities model"),
        ("ner/ner/model", "broken", "no usable entities model"),
    ],
)
def test_a_broken_folder_is_refused_with_what_to_do(folder, tmp_path, name, contents, message):
    broken = tmp_path / "model"
    shutil.copytree(folder, broken)
    (broken / name).unlink()
    if contents is not None:
        (broken / name).write_text(contents)
    with pytest.raises(ModelError, match=message) as caught:
        EntitiesPredictor.load(broken)
    assert caught.value.hint


def test_a_model_folder_holds_these_files_and_no_pickle(folder):
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    vocabulary = {"key2row", "lookups.bin", "strings.json", "vectors", "vectors.cfg"}
    assert files == {
        "catalogue.json",
        "model.json",
        "texts.npz",
        "ner/config.cfg",
        "ner/meta.json",
        "ner/tokenizer",
        "ner/ner/cfg",
        "ner/ner/model",
        "ner/ner/moves",
        *(f"ner/vocab/{name}" for name in vocabulary),
    }


def test_serving_imports_no_training_code(folder):
    script = (
        "import sys; from pathlib import Path; from finml.models.entities.runtime import EntitiesPredictor;"
        f"EntitiesPredictor.load(Path({str(folder)!r}));"
        "print([name for name in ('sklearn', 'matplotlib', 'xgboost', 'mlflow',"
        "'finml.models.entities.training') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
