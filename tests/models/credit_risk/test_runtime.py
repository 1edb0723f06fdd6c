import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finml.errors import DataError, ModelError
from finml.models.credit_risk.contract import BAND_NAMES, FEATURES, PROTECTED
from finml.models.credit_risk.runtime import CreditRiskPredictor
from tests.models.credit_risk.loans import loans

CONSTRAINED = [feature for feature in FEATURES if feature.sign]


def test_frames_and_records_get_the_same_answers(predictor, parts):
    frame = parts[1].head(200)
    answers = predictor.predict(frame)
    scores = predictor.predict_records(frame.to_dict("records"))
    assert [score.probability for score in scores] == answers["probability"].tolist()
    assert [score.band for score in scores] == answers["band"].tolist()
    assert [score.flagged for score in scores] == answers["flagged"].tolist()


def test_one_row_gets_what_it_gets_among_many(predictor, parts):
    frame = parts[1].head(50)
    together = predictor.predict(frame)["probability"]
    alone = [predictor.predict(frame.iloc[[place]])["probability"].iloc[0] for place in range(50)]
    assert together.tolist() == alone


def test_answers_keep_order_and_index(predictor, parts):
    frame = parts[1].sample(100, random_state=1)
    answers = predictor.predict(frame)
    assert answers.index.equals(frame.index)
    assert answers.equals(predictor.predict(parts[1]).loc[frame.index])


@pytest.mark.parametrize("wanted", [(True,), (False,), (True, False, False)])
def test_a_judgement_is_the_answer_with_or_without_its_reasons(predictor, parts, wanted):
    records = parts[1].head(60).to_dict("records")
    asked = [wanted[place % len(wanted)] for place in range(60)]
    judged = predictor.judge(records, asked)
    assert [each.score for each in judged] == predictor.predict_records(records)
    assert [each.missing for each in judged] == [predictor.missing(record) for record in records]
    for each, want, why in zip(judged, asked, predictor.explain_records(records), strict=True):
        assert each.reasons == (why.reasons if want else [])
        assert each.explanation is None


def test_explained_judgements_have_every_share(predictor, parts):
    records = parts[1].head(5).to_dict("records")
    judged = predictor.judge(records, [False] * 5, explain=True)
    assert [each.explanation for each in judged] == predictor.explain_records(records)
    assert [each.reasons for each in judged] == [each.explanation.reasons for each in judged]


def test_reasons_are_computed_only_where_they_are_wanted(predictor, parts, monkeypatch):
    records = parts[1].head(6).to_dict("records")
    explained = []
    computed = predictor._scoring.contributions
    monkeypatch.setattr(
        predictor._scoring, "contributions", lambda rows: explained.append(len(rows)) or computed(rows)
    )
    predictor.judge(records, [False] * 6)
    assert explained == []
    predictor.judge(records, [True, False, True, False, False, False])
    assert explained == [2]


def test_bands_and_flags_follow_the_probability(predictor, parts):
    answers = predictor.predict(parts[1]).sort_values("probability")
    places = [BAND_NAMES.index(band) for band in answers["band"]]
    assert places == sorted(places)
    assert set(places) == set(range(5))
    assert answers.loc[answers["flagged"], "band"].isin(["high", "very_high"]).all()
    assert not answers.loc[~answers["flagged"], "band"].isin(["high", "very_high"]).any()
    assert answers["probability"].between(0, 1).all()


def test_a_probability_on_an_edge_belongs_to_the_higher_band(predictor):
    assert predictor._band(np.array([predictor.threshold]))[0] == BAND_NAMES.index("high")


def test_probabilities_can_be_believed(predictor, parts):
    answers = predictor.predict(parts[1])
    assert answers["probability"].mean() == pytest.approx(parts[1]["defaulted"].mean(), abs=0.04)


def test_protected_columns_change_no_answer(predictor, parts):
    frame = parts[1]
    changed = frame.assign(
        protected_sex="other", protected_age=18.0, protected_marital_status="single", protected_education=None
    )
    assert predictor.predict(changed).equals(predictor.predict(frame))
    assert predictor.predict(frame.drop(columns=PROTECTED.values())).equals(predictor.predict(frame))
    assert not set(PROTECTED.values()) & set(predictor.columns)


@given(
    st.integers(0, 199),
    st.sampled_from(CONSTRAINED),
    st.floats(-1e6, 1e6, width=32),
    st.floats(-1e6, 1e6, width=32),
)
@settings(deadline=None, max_examples=200)
def test_risk_never_moves_against_the_declared_direction(predictor, row, feature, one, other):
    records = loans(200, seed=8).to_dict("records")
    low, high = sorted((one, other))
    below, above = predictor.predict_records(
        [{**records[row], feature.column: low}, {**records[row], feature.column: high}]
    )
    assert feature.sign * (above.probability - below.probability) >= -1e-9


def test_a_user_of_whom_nothing_is_known_gets_an_answer(predictor):
    (score,) = predictor.predict_records([{}])
    assert 0 < score.probability < 1
    assert predictor.missing({}) == predictor.columns


def test_missing_names_what_has_no_value(predictor):
    record = dict.fromkeys(predictor.columns, 1.0) | {
        "balance": None,
        "utilisation": float("nan"),
        "loan_kind": "home",
    }
    assert sorted(predictor.missing(record)) == ["balance", "utilisation"]


def test_no_rows_get_no_answers(predictor, parts):
    assert predictor.predict(parts[1].head(0)).columns.tolist() == ["probability", "band", "flagged"]
    assert predictor.predict_records([]) == []
    assert predictor.explain_records([]) == []
    assert predictor.judge([], []) == []


def test_a_missing_column_is_named(predictor, parts):
    with pytest.raises(DataError, match="balance_min_90d"):
        predictor.predict(parts[1].drop(columns="balance_min_90d"))


@pytest.mark.parametrize("name", ["margin.onnx", "contributions.onnx", "calibration.json", "model.json"])
@pytest.mark.parametrize("damage", ["absent", "empty", "other"])
def test_a_damaged_folder_is_refused(folder, tmp_path, name, damage):
    broken = tmp_path / "model"
    shutil.copytree(folder, broken)
    if damage == "absent":
        (broken / name).unlink()
    else:
        (broken / name).write_text("" if damage == "empty" else "[1, 2]")
    with pytest.raises(ModelError, match="no usable credit_risk model") as caught:
        CreditRiskPredictor.load(broken)
    assert "download" in caught.value.hint


def test_models_without_tables_give_the_same_answers(folder, predictor, parts, tmp_path):
    frame = parts[1].head(100)
    for scored_by, change in [("trees", {"scored_by": "trees"}), ("booster", {"format": 1})]:
        other = tmp_path / scored_by
        shutil.copytree(folder, other)
        (other / "contributions.onnx").unlink()
        info = json.loads((other / "model.json").read_text()) | change
        (other / "model.json").write_text(json.dumps(info))
        loaded = CreditRiskPredictor.load(other)
        np.testing.assert_allclose(
            loaded.predict(frame)["probability"], predictor.predict(frame)["probability"], atol=1e-6
        )
        for one, two in zip(loaded.explain(frame), predictor.explain(frame), strict=True):
            assert [reason.text for reason in one.reasons] == [reason.text for reason in two.reasons]
            assert one.contributions == pytest.approx(two.contributions, abs=1e-5)
            assert (one.base, one.margin) == pytest.approx((two.base, two.margin), abs=1e-5)


def test_another_format_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    info = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(info | {"format": 99}))
    with pytest.raises(ModelError, match="format 99"):
        CreditRiskPredictor.load(tmp_path)


def test_serving_needs_no_training_code(folder):
    code = (
        "import sys; from pathlib import Path;"
        "from finml.models.credit_risk.runtime import CreditRiskPredictor;"
        "import finml.models.credit_risk.contract;"
        f"CreditRiskPredictor.load(Path({str(folder)!r})).explain_records([{{}}]);"
        "heavy = {'mlflow', 'matplotlib', 'optuna', 'pandera', 'ibis', 'feast', 'duckdb', 'jinja2', 'kfp'};"
        "heavy |= {'onnx', 'xgboost'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_columns_of_any_order_and_type_are_read(predictor, parts):
    frame = parts[1].head(20)
    shuffled = frame[sorted(frame.columns, reverse=True)].astype({"loan_amount": "Float64", "loans": "int64"})
    assert predictor.predict(pd.DataFrame(shuffled)).equals(predictor.predict(frame))
