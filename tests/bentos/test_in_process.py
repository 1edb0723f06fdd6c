"""The service's classes in this process, over the files of the Bento."""

import pytest
from starlette.testclient import TestClient

from bentos import release
from finml.errors import IntegrityError
from finml.settings import get_settings
from tests.bentos.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bento")]


@pytest.fixture(scope="module")
def finance(bank, bento):
    """The service as BentoML would import it from the Bento."""
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore

    patch = pytest.MonkeyPatch()
    patch.setattr(release, "SERVING", bento.path / "src" / "serving")
    patch.setenv("FINML_HOME", str(bank.settings.home))
    patch.setenv("FINML_AUTH", "open")
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
def test_a_store_that_cannot_be_read_is_503(client, bank, action):
    store = bank.settings.workspace.feast / "online.db"
    hidden = store.rename(store.with_suffix(".hidden"))
    service = pytest.importorskip("bentoml").get_current_service()
    features = service.scorer("credit_risk").features
    opened, features._opened = features._opened, None
    try:
        answer = client.post(f"/{action}/credit_risk", json=loan(bank.users[0]))
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:finml:problem:unavailable"
        assert answer.headers["retry-after"] == "1"
        # probes are answered by what was found a moment ago
        wait_for(lambda: client.get("/readyz").status_code == 503)
        given = {"inputs": [{"features": {}, "loan_amount": 100_000.0}]}
        assert client.post(f"/{action}/credit_risk", json=given).status_code == 200
    finally:
        hidden.rename(store)
        features._opened = opened
    wait_for(lambda: client.get("/readyz").status_code == 200)


def test_a_refused_request_is_not_logged_as_an_error(client, capsys):
    assert client.post("/predict/credit_risk", json={}).status_code == 400
    assert '"level": "error"' not in capsys.readouterr().err


def test_a_failure_of_ours_is_logged_and_told_without_detail(client, bank, capsys, monkeypatch):
    service = pytest.importorskip("bentoml").get_current_service()
    monkeypatch.setattr(service.scorer("credit_risk"), "predictor", None)
    answer = client.post("/predict/credit_risk", json=loan(bank.users[0]))
    assert answer.status_code == 500
    assert "NoneType" not in answer.text
    assert answer.json()["request_id"] in capsys.readouterr().err


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
