"""The service over Redis, and what callers see when Redis goes away."""

import shutil
import subprocess

import httpx
import pytest

from bentos.packaging import package
from bentos.server import free_port, running
from finml.features.materialize import materialize
from finml.features.store import apply
from tests.bentos.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.xdist_group("bento")]


def test_redis_comes_goes_and_comes_back(bank, bento, service):
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    # without the cache, which would answer for users asked for moments ago
    settings = bank.settings.model_copy(
        update={"redis_url": f"redis://127.0.0.1:{port}/0", "feature_cache_s": 0.0}
    )
    body = {"inputs": [{"user_id": user, "loan_amount": 50_000.0} for user in bank.users[:3]]}
    from_sqlite = service.post("/predict/credit_risk", json=body).json()

    redis = start(program, port)
    try:
        apply(settings, bank.repo)
        materialize(settings, bank.repo)
        packaged = package(settings, [bank.version], bank.repo)
        assert packaged.release == bento.release
        with running(settings, tag=packaged.tag) as url, httpx.Client(base_url=url, timeout=30) as client:
            assert client.post("/predict/credit_risk", json=body).json() == from_sqlite
            redis.kill()
            redis.wait()
            gone = client.post("/predict/credit_risk", json=body)
            assert gone.status_code == 503
            assert gone.json()["type"] == "urn:finml:problem:unavailable"
            assert str(port) not in gone.text
            # probes are answered by what was found a moment ago
            wait_for(lambda: client.get("/readyz").status_code == 503)
            assert client.get("/livez").status_code == 200
            redis = start(program, port)
            # it kept nothing on disk, which a materialization cannot know
            materialize(settings, bank.repo, full=True)
            wait_for(lambda: client.get("/readyz").status_code == 200)
            assert client.post("/predict/credit_risk", json=body).json() == from_sqlite
    finally:
        redis.kill()
        redis.wait()


def start(program: str, port: int) -> subprocess.Popen:
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert any("Ready to accept connections" in line for line in server.stdout)
    return server
