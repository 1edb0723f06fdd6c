"""The real service: what it answers, in what order, and that it is what the model says in this process."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from finml.models.credit_risk.contract import CreditRiskExplanation, CreditRiskInput, CreditRiskOutput

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("bento")]

LOAN = {
    "loan_amount": 250_000.0,
    "term_months": 24,
    "annual_rate": 0.14,
    "installment": 12_003.0,
    "loan_kind": "personal",
}


def asked(user: str, **changes) -> dict:
    return {"user_id": user} | LOAN | changes


def predict(service, inputs: list[dict]) -> list[dict]:
    answer = service.post("/predict/credit_risk", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    return answer.json()


def outputs(answers: list[dict], kind=CreditRiskOutput) -> list:
    return [kind.model_validate(answer) for answer in answers]


def test_a_prediction_is_the_one_of_this_process(service, bank):
    inputs = [asked(user) for user in bank.users[:5]]
    expected = bank.scorer.predict([CreditRiskInput(**each) for each in inputs])
    assert outputs(predict(service, inputs)) == expected


def test_an_explanation_is_the_one_of_this_process(service, bank):
    inputs = [asked(user) for user in bank.users[:3]]
    answer = service.post("/explain/credit_risk", json={"inputs": inputs}).json()
    assert outputs(answer, CreditRiskExplanation) == bank.scorer.explain(
        [CreditRiskInput(**each) for each in inputs]
    )
    assert answer[0]["base"] + sum(answer[0]["contributions"].values()) == pytest.approx(answer[0]["margin"])


def test_an_answer_says_where_it_comes_from(service, bank):
    (answer,) = predict(service, [asked(bank.users[0])])
    assert answer["model_version"] == bank.version.spec
    assert answer["feature_status"] == "stale"  # the bank's books end in the past
    assert set(answer["feature_timestamps"]) == {"user_financials", "credit_history"}
    assert all(answer["feature_timestamps"].values())
    assert answer["reasons"]


def test_missing_and_stale_features_are_said_item_by_item(service, bank):
    known, unknown = predict(service, [asked(bank.users[0]), asked("nobody")])
    assert (known["feature_status"], unknown["feature_status"]) == ("stale", "missing")
    assert unknown["feature_timestamps"] == {"user_financials": None, "credit_history": None}
    assert set(known["missing_features"]) < set(unknown["missing_features"])
    assert "loan_amount" not in unknown["missing_features"]


def test_features_can_be_given_in_the_request(service, bank):
    features = bank.scorer.features.read([bank.users[0]], [{}])[0].values
    stored = {name: value for name, value in features.items() if name in known_names()}
    given, read = predict(service, [LOAN | {"features": stored}, asked(bank.users[0])])
    assert given["feature_status"] == "provided"
    assert given["feature_timestamps"] == {}
    assert given["user_id"] is None
    assert given["probability"] == read["probability"]


def known_names() -> frozenset[str]:
    from finml.models.credit_risk.contract import known_features

    return known_features()


def test_a_full_batch_keeps_its_order_and_equals_single_requests(service, bank):
    inputs = [asked(user, loan_amount=10_000.0 * (1 + place)) for place, user in enumerate(bank.users[:32])]
    batch = predict(service, inputs)
    assert [each["user_id"] for each in batch] == bank.users[:32]
    assert batch == [predict(service, [one])[0] for one in inputs]


def test_requests_that_are_merged_get_their_own_answers(service, bank):
    requests = [[asked(user) for user in bank.users[at : at + 1 + at % 5]] for at in range(60)]
    alone = [predict(service, inputs) for inputs in requests]
    with ThreadPoolExecutor(16) as callers:
        together = list(callers.map(lambda inputs: predict(service, inputs), requests))
    assert together == alone


def test_a_bad_request_fails_alone(service, bank):
    good, bad = [asked(bank.users[0])], [asked(bank.users[0], loan_amount=-1)]

    def status(inputs):
        return service.post("/predict/credit_risk", json={"inputs": inputs}).status_code

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(status, [good, bad] * 20)) == [200, 400] * 20


BAD_REQUESTS = [
    ("no body", b"", [("#", "The body is empty")]),
    ("not JSON", b"{", [("#", "Invalid JSON: EOF while parsing an object at line 1 column 1")]),
    ("not an object", b"[1]", [("#", "Input should be an object")]),
    ("not UTF-8", b'{"inputs": "\xff"}', None),
    ("no inputs", {}, [("#/inputs", "Field required")]),
    ("inputs of another type", {"inputs": 3}, [("#/inputs", "Input should be a valid array")]),
    ("no input", {"inputs": []}, [("#/inputs", "List should have at least 1 item after validation, not 0")]),
    ("33 inputs", {"inputs": [asked("u")] * 33},
     [("#/inputs", "List should have at most 32 items after validation, not 33")]),
    ("an input of another type", {"inputs": ["u1"]}, None),
    ("nobody", {"inputs": [LOAN]}, [("#/inputs/0", "either user_id or features is needed")]),
    ("an empty id", {"inputs": [asked("")]},
     [("#/inputs/0/user_id", "String should have at least 1 character")]),
    ("a long id", {"inputs": [asked("u" * 65)]},
     [("#/inputs/0/user_id", "String should have at most 64 characters")]),
    ("a control character", {"inputs": [asked("u\u0000")]},
     [("#/inputs/0/user_id", "must not hold control characters")]),
    ("an id that is a number", {"inputs": [asked(7)]},
     [("#/inputs/0/user_id", "Input should be a valid string")]),
    ("no amount", {"inputs": [{"user_id": "u"}]}, [("#/inputs/0/loan_amount", "Field required")]),
    ("a negative amount", {"inputs": [asked("u", loan_amount=-1)]},
     [("#/inputs/0/loan_amount", "Input should be greater than or equal to 0.01")]),
    ("an amount in words", {"inputs": [asked("u", loan_amount="many")]},
     [("#/inputs/0/loan_amount", "Input should be a valid number")]),
    ("a number as text", {"inputs": [asked("u", loan_amount="12")]},
     [("#/inputs/0/loan_amount", "Input should be a valid number")]),
    ("a number as truth", {"inputs": [asked("u", loan_amount=True)]},
     [("#/inputs/0/loan_amount", "Input should be a valid number")]),
    ("more than inputs", {"inputs": [asked("u")], "more": 1}, [("#/more", "Extra inputs are not permitted")]),
    ("an infinite amount", b'{"inputs": [{"user_id": "u", "loan_amount": Infinity}]}',
     [("#/inputs/0/loan_amount", "Input should be a finite number")]),
    ("no number", b'{"inputs": [{"user_id": "u", "loan_amount": NaN}]}',
     [("#/inputs/0/loan_amount", "Input should be a finite number")]),
    ("a fraction of a month", {"inputs": [asked("u", term_months=1.5)]},
     [("#/inputs/0/term_months", "Input should be a valid integer")]),
    ("an unknown kind", {"inputs": [asked("u", loan_kind="gift")]}, None),
    ("an unknown field", {"inputs": [asked("u", sex="female")]},
     [("#/inputs/0/sex", "Extra inputs are not permitted")]),
    ("an unknown feature", {"inputs": [LOAN | {"features": {"protected_sex": 1}}]},
     [("#/inputs/0", "unknown features: protected_sex")]),
    ("two faults", {"inputs": [asked("u"), asked("u", term_months=0), asked("u", annual_rate=3)]},
     [("#/inputs/1/term_months", "Input should be greater than or equal to 1"),
      ("#/inputs/2/annual_rate", "Input should be less than or equal to 2")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "errors"), [case[1:] for case in BAD_REQUESTS], ids=[c[0] for c in BAD_REQUESTS]
)
@pytest.mark.parametrize("action", ["predict", "explain"])
def test_a_bad_request_names_what_is_wrong(service, action, body, errors):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = service.post(
        f"/{action}/credit_risk", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == "urn:finml:problem:invalid-request"
    assert document["request_id"] == answer.headers["x-request-id"]
    found = [(error["pointer"], error["detail"]) for error in document["errors"]]
    assert found if errors is None else found == errors


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("GET", "/nothing", {}, b"", 404),
        ("GET", "/predict/credit_risk", {}, b"", 405),
        ("POST", "/models", {"content-type": "application/json"}, b"{}", 405),
        ("POST", "/predict/credit_risk", {"content-type": "application/vnd.bentoml+pickle"}, b"\x80", 415),
        ("POST", "/predict/credit_risk", {"content-type": "application/x-www-form-urlencoded"}, b"a=1", 415),
        ("POST", "/predict/credit_risk", {"content-type": "application/json"}, b" " * (1 << 20) + b"{}", 413),
    ],
)
def test_other_refusals_are_problem_documents_too(service, method, path, headers, content, status):  # noqa: PLR0917
    answer = service.request(method, path, headers=headers, content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_the_callers_own_id_comes_back_beside_the_requests(service, bank):
    body = {"inputs": [asked(bank.users[0])]}
    answer = service.post("/predict/credit_risk", json=body, headers={"x-request-id": "order-66"})
    assert answer.headers["x-correlation-id"] == "order-66"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_models_are_listed_with_their_lineage_and_gate(service, bank):
    (model,) = service.get("/models").json()["models"]
    assert (model["name"], model["version"]) == ("credit_risk", bank.version.version)
    assert model["manifest_sha256"] == bank.version.manifest_sha256
    assert model["run_id"] == bank.version.run_id
    assert [figure["passed"] for figure in model["gate"]] == [True]


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/healthz", "/metrics", "/routing", "/docs", "/docs.json"]
)
def test_the_pages_answer(service, path):
    assert service.get(path).status_code == 200


def test_the_docs_are_where_the_root_leads(service):
    assert service.get("/").headers["location"] == "/docs"
    assert service.get("/docs").headers["content-type"].startswith("text/html")


def test_the_openapi_document_has_both_routes(service):
    assert {"/predict/credit_risk", "/explain/credit_risk"} <= set(service.get("/docs.json").json()["paths"])
