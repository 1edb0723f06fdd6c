import json
import logging
import subprocess
import sys
from datetime import datetime
from unittest.mock import Mock

import pytest
import structlog

from finml.logs import configure_logging
from finml.settings import Settings


def test_logs_go_to_standard_error_as_json(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json"))
    structlog.get_logger("x").warning("row_refused", email="asha@example.in", rows=3)
    output = capsys.readouterr()
    assert output.out == ""
    event = json.loads(output.err)
    assert (event["event"], event["email"], event["rows"]) == ("row_refused", "<email>", 3)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_line_and_its_end_are_one_write_so_that_processes_do_not_mix_them(
    tmp_path, monkeypatch, log_format
):
    written = []
    monkeypatch.setattr(sys, "stderr", Mock(write=written.append))
    configure_logging(Settings(home=tmp_path, log_format=log_format))
    structlog.get_logger("x").warning("draining")
    assert len(written) == 1
    assert written[0].endswith("\n")


def test_personal_data_inside_values_is_masked(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json"))
    structlog.get_logger("x").warning(
        "row_refused", cause="no user asha@okbank", text="call me", user_id="u7"
    )
    event = json.loads(capsys.readouterr().err)
    assert (event["cause"], event["text"], event["user_id"]) == ("no user <upi>", "<text>", "u7")


def test_what_an_exception_says_is_masked(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json"))
    try:
        raise ValueError("card 4111 1111 1111 1111 refused")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    written = capsys.readouterr().err
    assert "4111" not in written
    assert "card <card> refused" in json.loads(written)["exception"]


def test_the_time_of_a_line_stays(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json"))
    structlog.get_logger("x").warning("x")
    assert datetime.fromisoformat(json.loads(capsys.readouterr().err)["timestamp"])


def test_the_level_is_kept(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json", log_level="ERROR"))
    structlog.get_logger("x").warning("quiet")
    assert capsys.readouterr().err == ""


def test_the_logs_of_libraries_are_masked_alike(capsys, tmp_path):
    configure_logging(Settings(home=tmp_path, log_format="json"))
    logging.getLogger("driver").warning("no answer from redis://:%s@10.0.0.1", "hunter2")
    output = capsys.readouterr().err
    assert "no answer" in json.loads(output)["event"]
    assert "hunter2" not in output


def test_a_line_of_a_library_comes_once(tmp_path):
    """Whatever handler a library has left: in a process of its own, as pytest leaves handlers too."""
    script = """
import logging
from pathlib import Path
from finml.logs import configure_logging
from finml.settings import Settings
logging.warning("before")
configure_logging(Settings(home=Path("."), log_format="json"))
logging.getLogger("driver").warning("no answer to asha@example.in")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    _, *after = done.stderr.splitlines()
    assert [json.loads(line)["event"] for line in after] == ["no answer to <email>"]
