import numpy as np
import pytest

from finml.models.credit_risk.contract import CreditRiskReason
from finml.models.credit_risk.explain import LEAST_CONTRIBUTION
from finml.models.credit_risk.features import feature_matrix
from finml.models.credit_risk.scoring import MODEL_FILE, BoosterScoring


def test_contributions_sum_to_the_margin(predictor, folder, parts):
    matrix = feature_matrix(parts[1], predictor.features)
    margin = BoosterScoring(folder / MODEL_FILE).margin(matrix)
    np.testing.assert_allclose(predictor.contributions(matrix).sum(axis=1), margin, atol=1e-4)


def test_explanations_lead_to_the_probability(predictor, parts):
    frame = parts[1].head(30)
    answers = predictor.predict(frame)["probability"]
    for why, probability in zip(predictor.explain(frame), answers, strict=True):
        assert sum(why.contributions.values()) + why.base == pytest.approx(why.margin, abs=1e-4)
        assert predictor.calibration.probability(np.array([why.margin]))[0] == pytest.approx(
            probability, abs=1e-4
        )


def test_reasons_are_distinct_topics_strongest_first(predictor, parts):
    for why in predictor.explain(parts[1].head(100), top=3):
        assert len(why.reasons) <= 3
        topics = [reason.topic for reason in why.reasons]
        assert len(set(topics)) == len(topics)
        sizes = [abs(reason.contribution) for reason in why.reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert all(size >= LEAST_CONTRIBUTION for size in sizes)
        assert all((reason.contribution > 0) == (reason.direction == "raises") for reason in why.reasons)


def test_a_topic_s_contribution_is_the_sum_of_its_features(predictor, parts):
    topic = {feature.name: feature.topic for feature in predictor.features}
    (why,) = predictor.explain(parts[1].head(1), top=99)
    for reason in why.reasons:
        expected = sum(share for name, share in why.contributions.items() if topic[name] == reason.topic)
        assert reason.contribution == pytest.approx(expected, abs=1e-5)
        assert topic[reason.feature] == reason.topic


def test_words_fit_the_value(predictor, parts):
    record = parts[1].iloc[0].to_dict() | {
        "delay_days_1": 60.0,
        "worst_delay_180d": 60.0,
        "worst_delay_90d": 60.0,
    }
    (late,) = predictor.explain_records([record])
    reason = late.reasons[0]
    assert (reason.topic, reason.direction) == ("payment delays", "raises")
    assert "60 days" in reason.text
    assert reason.value == 60
    (prompt,) = predictor.explain_records(
        [record | {"delay_days_1": 0.0, "worst_delay_180d": 0.0, "worst_delay_90d": 0.0}]
    )
    by_topic = {reason.topic: reason for reason in prompt.reasons}
    assert by_topic["payment delays"].direction == "lowers"


def test_missing_values_have_words_too(predictor):
    (why,) = predictor.explain_records([{}])
    assert all(reason.value is None for reason in why.reasons)
    assert all(reason.text and "nan" not in reason.text for reason in why.reasons)


def test_frames_and_records_get_the_same_reasons(predictor, parts):
    frame = parts[1].head(10)
    assert predictor.explain(frame) == predictor.explain_records(frame.to_dict("records"))


def test_reasons_fit_the_served_message(predictor, parts):
    (why,) = predictor.explain(parts[1].head(1))
    for reason in why.reasons:
        fields = {name: getattr(reason, name) for name in CreditRiskReason.model_fields}
        assert CreditRiskReason(**fields).text == reason.text
