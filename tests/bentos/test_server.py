"""Starting a Bento, also one that is not there, cannot start or meets a taken port; and ending it."""

import os
import signal
import socket
import subprocess
import threading

import httpx
import pytest
from pydantic import SecretStr

from bentos.server import (
    HOST,
    answers,
    environment,
    free_port,
    is_ready,
    newest_bento,
    running,
    serve,
    start,
    stop,
)
from finml.errors import ServeError, SettingsError
from finml.settings import Settings
from tests.bentos.waiting import wait_for


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", redis_url="redis://:secret@localhost/0", auth="open")


def test_nothing_was_packaged(settings):
    with pytest.raises(ServeError, match="no Bento in") as caught:
        serve(settings, 3000)
    assert "finml run release" in caught.value.hint


def test_the_newest_is_the_one_that_bentoml_points_at(settings):
    pointer = settings.bento_home / "bentos" / "finance" / "latest"
    pointer.parent.mkdir(parents=True)
    pointer.write_text("kj3\n")
    assert newest_bento(settings) == "finance:kj3"


def test_a_taken_port_is_named(settings):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"port {port} is taken"):
            serve(settings, port, tag="finance:kj3")


def test_an_address_that_cannot_be_listened_on_is_named(settings):
    with pytest.raises(ServeError, match=r"cannot listen on 203\.0\.113\.9"):
        serve(settings, free_port(), host="203.0.113.9", tag="finance:kj3")


def test_a_log_that_cannot_be_written_is_named_before_the_start(settings):
    settings.bento_home.joinpath("bentos", "finance", "kj3", "src").mkdir(parents=True)
    wrong = settings.model_copy(update={"inference_log": SecretStr("mysql://x")})
    with pytest.raises(SettingsError, match="FINML_INFERENCE_LOG is neither"):
        serve(wrong, free_port(), tag="finance:kj3")


def test_a_bento_that_reads_from_another_store_than_is_set_is_named_before_the_start(settings):
    folder = settings.bento_home / "bentos" / "finance" / "kj3" / "src" / "serving" / "features"
    folder.mkdir(parents=True)
    folder.joinpath("feature_store.yaml").write_text("online_store: {path: online.db}")
    with pytest.raises(SettingsError, match="packaged without it and reads features from SQLite"):
        serve(settings, free_port(), tag="finance:kj3")


def test_the_server_is_told_only_what_it_needs(settings, monkeypatch):
    monkeypatch.setenv("FINML_KFP_TOKEN", "secret")
    monkeypatch.setenv("FINML_LEDGER_URL", "postgresql://bank:secret@db/ledger")
    told = environment(settings)
    assert told["FINML_HOME"] == str(settings.home)
    assert told["FINML_REDIS_URL"] == settings.redis_url
    assert told["BENTOML_HOME"] == str(settings.bento_home)
    assert not {"FINML_KFP_TOKEN", "FINML_LEDGER_URL"} & set(told)


@pytest.mark.slow
def test_a_server_that_ends_says_why(settings):
    settings.bento_home.joinpath("bentos", "finance", "kj3", "src").mkdir(parents=True)
    with pytest.raises(ServeError, match=r"ended with status 3; its log ends with:[\s\S]*finance:kj3"):  # noqa: SIM117
        with running(settings, tag="finance:kj3"):
            pass


def test_stopping_what_has_ended(settings):
    class Ended:
        def poll(self) -> int:
            return 0

    stop(Ended())


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.xdist_group("bento")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_and_all_its_workers(bank, bento, number):
    """`serve` runs in this thread, as in the command; another one waits and sends the signal."""
    port = free_port()

    def interrupt() -> None:
        wait_for(lambda: told)
        os.kill(os.getpid(), number)

    told: list[tuple[str, bool]] = []
    before = signal.getsignal(number)
    caller = threading.Thread(target=interrupt)
    caller.start()

    def announce(url: str) -> None:
        told.append((url, is_ready(url)))

    assert serve(bank.settings, port, tag=bento.tag, workers=2, announce=announce) == 0
    assert told == [(f"http://{HOST}:{port}", True)]
    caller.join()
    assert not answers(port)
    assert signal.getsignal(number) is before


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.xdist_group("bento")
def test_a_server_that_nobody_could_call_does_not_start(bank, bento, tmp_path, monkeypatch):
    (tmp_path / "bentoml").symlink_to(bank.settings.bento_home)
    closed = Settings(home=tmp_path, auth="required", keys_file="", jwt_issuer="")
    with pytest.raises(SettingsError, match="nobody may call") as caught:
        serve(closed, free_port(), tag=bento.tag)
    assert "finml keys create" in caught.value.hint
    # a server that was started otherwise looks by itself
    monkeypatch.setattr("bentos.server.check_access", lambda settings: None)
    with pytest.raises(ServeError, match=r"ended with status 3; [\s\S]*nobody may call"):  # noqa: SIM117
        with running(closed, tag=bento.tag, workers=2):
            pass


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.xdist_group("bento")
def test_a_server_that_starts_before_its_store_becomes_ready_with_it(bank, bento, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "bentoml").symlink_to(bank.settings.bento_home)
    settings = Settings(home=home, auth="open")
    port = free_port()
    url = f"http://{HOST}:{port}"
    loan = {"inputs": [{"user_id": bank.users[0], "loan_amount": 1000.0}]}
    process = start(settings, port, tag=bento.tag, workers=1, output=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(port) and alive(url))
        assert not is_ready(url)
        refused = httpx.post(f"{url}/predict/credit_risk", json=loan, timeout=30)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["type"] == "urn:finml:problem:unavailable"
        (home / "ledgers").symlink_to(bank.settings.home / "ledgers")
        wait_for(lambda: is_ready(url))
        assert httpx.post(f"{url}/predict/credit_risk", json=loan, timeout=30).status_code == 200
    finally:
        stop(process)


def alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=30).status_code == 200
    except httpx.HTTPError:
        return False
