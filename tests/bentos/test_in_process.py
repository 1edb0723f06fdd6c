"""The service's classes in this process, over the files of the Bento."""

import logging

import pytest
from starlette.testclient import TestClient

from bentos import release
from finml.errors import IntegrityError
from finml.settings import get_settings

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bento")]


@pytest.fixture(scope="module")
def finance(bank, bento):
    """The service as BentoML would import it from the Bento."""
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore

    patch = pytest.MonkeyPatch()
    patch.setattr(release, "SERVING", bento.path / "src" / "serving")
    patch.setenv("FINML_HOME", str(bank.settings.home))
    get_settings.cache_clear()
    BentoMLContainer.model_store.set(ModelStore(bank.settings.bento_home / "models"))
    from bentos.service import Finance

    yield Finance
    BentoMLContainer.model_store.reset()
    patch.undo()
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def client(finance):
    with TestClient(finance.to_asgi(), raise_server_exceptions=False) as client:
        yield client


def loan(user: str) -> dict:
    return {"inputs": [{"user_id": user, "loan_amount": 100_000.0}]}


@pytest.mark.parametrize("action", ["predict", "explain"])
def test_an_answer_names_its_version(client, bank, action):
    (answer,) = client.post(f"/{action}/credit_risk", json=loan(bank.users[0])).json()
    assert answer["model_version"] == bank.version.spec


def test_ready_alive_and_listed(client):
    assert client.get("/readyz").status_code == 200
    assert client.get("/livez").status_code == 200
    assert [model["name"] for model in client.get("/models").json()["models"]] == ["credit_risk"]


@pytest.mark.parametrize("action", ["predict", "explain"])
def test_a_store_that_cannot_be_read_is_503(client, bank, action, caplog):
    store = bank.settings.workspace.feast / "online.db"
    hidden = store.rename(store.with_suffix(".hidden"))
    service = pytest.importorskip("bentoml").get_current_service()
    opened, service.credit_risk.features._opened = service.credit_risk.features._opened, None
    try:
        with caplog.at_level(logging.ERROR, logger="bentoml._internal.server.http_app"):
            answer = client.post(f"/{action}/credit_risk", json=loan(bank.users[0]))
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:finml:problem:unavailable"
        assert answer.headers["retry-after"] == "1"
        assert not caplog.records
        assert client.get("/readyz").status_code == 503
        given = {"inputs": [{"features": {}, "loan_amount": 100_000.0}]}
        assert client.post(f"/{action}/credit_risk", json=given).status_code == 200
    finally:
        hidden.rename(store)
        service.credit_risk.features._opened = opened
    assert client.get("/readyz").status_code == 200


def test_a_refused_request_is_not_logged_as_an_error(client, caplog):
    with caplog.at_level(logging.ERROR, logger="bentoml._internal.server.http_app"):
        assert client.post("/predict/credit_risk", json={}).status_code == 400
    assert not caplog.records


def test_a_failure_of_ours_is_logged_and_told_without_detail(client, bank, caplog, monkeypatch):
    service = pytest.importorskip("bentoml").get_current_service()
    monkeypatch.setattr(service.credit_risk, "predictor", None)
    with caplog.at_level(logging.ERROR, logger="bentoml._internal.server.http_app"):
        answer = client.post("/predict/credit_risk", json=loan(bank.users[0]))
    assert answer.status_code == 500
    assert "NoneType" not in answer.text
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_service_whose_model_was_changed_does_not_start(finance, bank):
    stored = (
        bank.settings.bento_home / "models" / "credit_risk" / str(bank.version.version) / release.MODEL_FILES
    )
    before = (stored / "calibration.json").read_text()
    (stored / "calibration.json").write_text("{}")
    try:
        with pytest.raises(IntegrityError, match=r"calibration\.json was changed"):
            finance.inner()
    finally:
        (stored / "calibration.json").write_text(before)
