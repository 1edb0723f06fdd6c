"""A load test of the real service, with the ids of the ledger and a budget that a busy machine can keep."""

import pytest
import yaml

from finml.settings import get_settings
from loadtests.scenarios import load
from pipelines.cli.app import run_command


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.xdist_group("bento")
def test_no_request_of_a_load_test_fails(bank, bento, tmp_path, monkeypatch, capfd):
    scenario = load()["smoke"].model_dump(mode="json")
    scenario["budget"] = {"p95_ms": 5000, "failure_share": 0, "requests_per_s": 1}
    (tmp_path / "budgets.yaml").write_text(yaml.safe_dump({"scenarios": {"smoke": scenario}}))
    monkeypatch.setenv("FINML_HOME", str(bank.settings.home))
    get_settings.cache_clear()
    try:
        code = run_command(["loadtest", "smoke", "--budgets", str(tmp_path / "budgets.yaml")])
    finally:
        get_settings.cache_clear()
    out, err = capfd.readouterr()
    assert code == 0, out + err
    assert "/predict/credit_risk" in out
    assert "/explain/credit_risk" in out
