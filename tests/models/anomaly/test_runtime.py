import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from finml.errors import DataError, ModelError
from finml.models.anomaly.behaviour import FEATURES, OWN_FEATURES, TOPICS, Behaviour, behaviour
from finml.models.anomaly.example import busy_habits, transaction_of
from finml.models.anomaly.habits import NO_HABITS, Habits, Transaction
from finml.models.anomaly.runtime import AnomalyPredictor


def asked(frame: pd.DataFrame) -> list[tuple[Transaction, Behaviour]]:
    """Rows of a frame as a request brings them; the facts are those of nobody."""
    facts = {"times_own": 2.0, "times_category": 2.0, "times_merchant": 2.0, "count_1h": 1, "count_24h": 1}
    facts |= {"same_payment": 1, "same_merchant": 1, "days_since": 3.0, "usual_days": 30.0}
    return [
        (transaction_of(row), Behaviour({name: row[name] for name in OWN_FEATURES}, facts, row["history"]))
        for row in frame.to_dict("records")
    ]


def test_frames_and_requests_get_the_same_answers(predictor, parts):
    frame = parts[1].head(300)
    answers = predictor.predict(frame)
    judged = predictor.judge(asked(frame))
    assert [one.score for one in judged] == pytest.approx(answers["score"].tolist(), abs=1e-9)
    assert [one.flagged for one in judged] == answers["flagged"].tolist()
    assert [one.category_model or "" for one in judged] == answers["category_model"].tolist()


def test_tables_and_records_get_the_same_answers(table_predictor, table_parts):
    frame = table_parts[1].head(200)
    answers = table_predictor.predict(frame)
    judged = table_predictor.judge_values(frame[table_predictor.columns].to_dict("records"))
    assert [one.score for one in judged] == pytest.approx(answers["score"].tolist(), abs=1e-9)
    assert [one.flagged for one in judged] == answers["flagged"].tolist()


def test_one_row_gets_what_it_gets_among_many(predictor, parts):
    frame = parts[1].head(50)
    together = predictor.predict(frame)["score"]
    alone = [predictor.predict(frame.iloc[[place]])["score"].iloc[0] for place in range(50)]
    assert together.tolist() == pytest.approx(alone, abs=1e-7)


def test_answers_keep_order_and_index(predictor, parts):
    frame = parts[1].sample(100, random_state=1)
    answers = predictor.predict(frame)
    assert answers.index.equals(frame.index)
    pd.testing.assert_frame_equal(answers, predictor.predict(parts[1]).loc[frame.index])


def test_flags_follow_the_score(predictor, parts):
    answers = predictor.predict(parts[1])
    assert (answers["flagged"] == (answers["score"] >= predictor.threshold)).all()
    assert answers["score"].between(0, 1).all()


def test_anomalies_are_found(predictor, parts):
    answers = predictor.predict(parts[1])
    found = answers.groupby(parts[1]["anomalous"])["flagged"].mean()
    assert found[True] > 10 * found[False]


def test_a_contribution_is_what_the_score_would_be_without(predictor, parts):
    row = parts[1][parts[1]["anomaly_kind"] == "amount_spike"].head(1)
    (judged,) = predictor.judge(asked(row), explain=True)
    matrix = predictor.maker.of_frame(row)
    usual = matrix.copy()
    place = FEATURES.index("amount_vs_own")
    usual[0, place] = predictor.detector.scaler.median[place]
    categories = row["category"].tolist()
    expected = predictor.detector.raw(matrix, categories) - predictor.detector.raw(usual, categories)
    assert judged.contributions["amount_vs_own"] == pytest.approx(expected[0], abs=1e-5)
    assert set(judged.contributions) == set(judged.values) == set(FEATURES)
    assert judged.reasons[0].topic in TOPICS
    assert judged.reasons[0].contribution >= max(reason.contribution for reason in judged.reasons)


def test_the_reason_for_a_spike_is_the_amount_in_words(predictor):
    habits = Habits.read(busy_habits())
    one = Transaction(1_750_000_000.0, 9_000.0 * 20, "dining", "merchant 003")
    (judged,) = predictor.judge([(one, behaviour(one, habits))])
    assert judged.flagged
    assert "400 times your usual dining amount" in [reason.text for reason in judged.reasons]


def test_without_history_an_answer_is_given(predictor):
    one = Transaction(1_750_000_000.0, 500.0, "dining", None)
    (judged,) = predictor.judge([(one, behaviour(one, NO_HABITS))])
    assert judged.history == "none"
    assert not judged.flagged
    huge = Transaction(1_750_000_000.0, 1e9, "dining", None)
    (found,) = predictor.judge([(huge, behaviour(huge, NO_HABITS))])
    assert found.score > judged.score
    assert found.reasons[0].text == "a large amount for dining"


def test_a_table_s_reason_names_the_column(table_predictor):
    (judged,) = table_predictor.judge_values([{"a": 0.0, "b": 0.0, "c": 99.0, "d": 0.0}])
    assert judged.flagged
    assert judged.reasons[0].topic == "c"
    assert "c is 99, higher than in any training row" in judged.reasons[0].text


def test_a_missing_value_counts_as_the_median(table_predictor):
    median = dict(zip(table_predictor.columns, table_predictor.detector.scaler.median, strict=True))
    one, other = table_predictor.judge_values([median | {"c": None}, median])
    assert one.score == other.score


def test_no_rows_get_no_answers(predictor, table_predictor, parts):
    assert predictor.predict(parts[1].head(0)).columns.tolist() == ["score", "flagged", "category_model"]
    assert predictor.judge([]) == []
    assert table_predictor.judge_values([]) == []


def test_rows_of_the_other_kind_are_refused(predictor, table_predictor, parts, table_parts):
    with pytest.raises(DataError, match="trained on transactions"):
        predictor.predict(table_parts[1])
    with pytest.raises(DataError, match="trained on a table; these rows lack a, b, c, d"):
        table_predictor.predict(parts[1])
    with pytest.raises(ModelError, match="trained on behaviour"):
        predictor.judge_values([{}])
    with pytest.raises(ModelError, match="trained on table"):
        table_predictor.judge(asked(parts[1].head(1)))


@pytest.mark.parametrize("name", ["forest_00.onnx", "numbers.npz", "model.json"])
@pytest.mark.parametrize("damage", ["absent", "empty", "other"])
def test_a_damaged_folder_is_refused(folder, tmp_path, name, damage):
    broken = tmp_path / "model"
    shutil.copytree(folder, broken)
    if damage == "absent":
        (broken / name).unlink()
    else:
        (broken / name).write_text("" if damage == "empty" else "[1, 2]")
    with pytest.raises(ModelError, match="no usable anomaly model") as caught:
        AnomalyPredictor.load(broken)
    assert "download" in caught.value.hint


def test_another_format_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    info = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(info | {"format": 99}))
    with pytest.raises(ModelError, match="format 99"):
        AnomalyPredictor.load(tmp_path)


def test_serving_needs_no_training_code(folder):
    code = (
        "import sys; from pathlib import Path;"
        "from finml.models.anomaly.runtime import AnomalyPredictor;"
        "from finml.models.anomaly.behaviour import behaviour;"
        "from finml.models.anomaly.habits import NO_HABITS, Transaction;"
        "import finml.models.anomaly.contract;"
        "one = Transaction(1.7e9, 5.0, 'dining');"
        f"predictor = AnomalyPredictor.load(Path({str(folder)!r}));"
        "predictor.judge([(one, behaviour(one, NO_HABITS))], explain=True);"
        "heavy = {'mlflow', 'matplotlib', 'sklearn', 'onnx', 'pandera', 'ibis', 'feast', 'duckdb', 'jinja2'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_extreme_rows_are_scored(predictor, table_predictor):
    for value in (1e30, -1e30, 0.0):
        (judged,) = table_predictor.judge_values([dict.fromkeys("abcd", value)], explain=True)
        assert np.isfinite([judged.score, judged.raw, *judged.contributions.values()]).all()
    one = Transaction(4e9, 1e11, "dining", "x")
    (judged,) = predictor.judge([(one, behaviour(one, Habits.read(busy_habits())))], explain=True)
    assert 0.99 < judged.score < 1
