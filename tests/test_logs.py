import json
import logging

import pytest
import structlog

from finml.logs import configure_logging, mask
from finml.settings import Settings


@pytest.mark.parametrize(
    "text",
    [
        "asha.rao@example.in",
        "asha@okbank",
        "+91 98765 43210",
        "9876543210",
        "4111 1111 1111 1111",
        "ABCDE1234F",
        "postgresql://me:secret@db/bank",
        "redis://:secret@10.0.0.1/0",
        "postgresql://me:sec/ret@db/bank",
        "postgresql://db/bank?user=me&password=secret",
    ],
)
def test_personal_data_and_passwords_are_masked(text):
    masked = mask(f"row for {text} failed")
    assert "***" in masked
    assert "secret" not in masked
    assert text not in masked


@pytest.mark.parametrize(
    "text",
    ["amount 125000.50", "user u-000123", "credit_risk@7", "2024-03-31T12:00:00", "2024-03-31 12:00:00"],
)
def test_what_an_engineer_needs_stays(text):
    assert mask(text) == text


def test_nested_values_and_personal_keys_are_masked():
    assert mask({"rows": [{"upi_id": "x", "amount": 5}]}) == {"rows": [{"upi_id": "***", "amount": 5}]}


def test_logs_go_to_standard_error_as_json(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json"))
    structlog.get_logger("x").warning("row_refused", email="asha@example.in", rows=3)
    output = capsys.readouterr()
    assert output.out == ""
    event = json.loads(output.err)
    assert (event["event"], event["email"], event["rows"]) == ("row_refused", "***", 3)


def test_the_level_is_kept(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json", log_level="ERROR"))
    structlog.get_logger("x").warning("quiet")
    assert capsys.readouterr().err == ""


def test_the_logs_of_libraries_are_masked_alike(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json"))
    logging.getLogger("driver").warning("no answer from redis://:%s@10.0.0.1", "secret")
    output = capsys.readouterr().err
    assert "no answer" in json.loads(output)["event"]
    assert "secret" not in output
