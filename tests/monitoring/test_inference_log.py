"""The inference log through its public doors: what is recorded can be read, whatever happens in between."""

import hashlib
import json
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from finml.errors import MonitoringError, SettingsError
from finml.monitoring.compaction import compact
from finml.monitoring.inference_log import InferenceLog
from finml.monitoring.reading import read
from finml.monitoring.rows import COLUMNS
from finml.monitoring.sinks import ParquetSink, SinkUnavailableError, folder
from finml.settings import Settings
from tests.monitoring.conftest import id_of

ROOT = Path(__file__).parents[2]


class Gate:
    """A sink that takes rows only while it is open."""

    def __init__(self):
        self.open = threading.Event()
        self.tried = threading.Event()
        self.rows = 0

    def write(self, rows):
        self.tried.set()
        if not self.open.is_set():
            raise SinkUnavailableError("closed")
        self.rows += rows.num_rows

    def close(self):
        pass


def logged(settings, predictions, **given):
    log = InferenceLog(settings, **given)
    log.start()
    log.record(predictions)
    log.close(30)
    return log


def test_what_is_recorded_is_read(settings, prediction):
    log = logged(settings, [prediction(1), prediction(2, model="intent", features=None, shadow=True)])
    assert (log.written, log.dropped, log.queued) == (2, 0, 0)
    found = read(settings, model="credit_risk")
    assert tuple(found.columns) == COLUMNS
    (row,) = found.to_dict("records")
    assert json.loads(row["inputs"]) == {"user_id": "u1", "text": ""}
    assert json.loads(row["output"]) == {"probability": 0.25, "flagged": False}
    assert json.loads(row["features"]) == {"income": 10.5}
    assert (row["variant"], row["shadow"], row["position"], row["latency_ms"]) == ("champion", False, 0, 2.5)
    (other,) = read(settings, model="intent").to_dict("records")
    assert other["features"] is None
    assert other["shadow"] is True


def test_personal_data_is_masked_and_the_subject_is_a_stand_in(settings, prediction):
    inputs = prediction().inputs.model_copy(
        update={"text": "mail asha@example.org, card 4111 1111 1111 1111, 500 rupees", "user_id": "u9"}
    )
    logged(settings, [prediction(inputs=inputs, output=inputs), prediction(1, inputs=inputs)])
    content = b"".join(pq.read_table(file).to_pandas().to_json().encode() for file in files(settings))
    assert b"asha@" not in content
    assert b"4111" not in content
    assert b"500 rupees" in content
    found = read(settings)
    assert found.subject.nunique() == 1
    assert "u9" not in set(found.subject)


class Word(BaseModel):
    word: str
    start: int
    end: int


class Quoting(BaseModel):
    words: list[Word]


def test_an_answer_that_quotes_what_is_masked_is_masked_there(settings, prediction):
    text = "my otp is 482913 please"
    inputs = prediction().inputs.model_copy(update={"text": text})
    words = [
        Word(word=word, start=text.index(word), end=text.index(word) + len(word)) for word in text.split()
    ]
    logged(settings, [prediction(inputs=inputs, output=Quoting(words=words))])
    output = read(settings).output.iloc[-1]
    assert "482913" not in output
    assert "please" in output


def test_a_subject_is_the_same_in_every_process_of_a_home_and_another_elsewhere(tmp_path, prediction):
    def subject(home: str, **more) -> str:
        settings = Settings(_env_file=None, home=tmp_path / home, **more)
        logged(settings, [prediction(1)])
        # of the last process
        return read(settings).subject.iloc[-1]

    secret = "s" * 32
    assert subject("one") == subject("one") != subject("other")
    assert subject("third", audit_secret=secret) == subject("fourth", audit_secret=secret)
    assert subject("one") != hashlib.blake2b(b"u1", digest_size=8).hexdigest()


def test_types_are_the_same_for_an_empty_log(settings, prediction):
    before = read(settings)
    logged(settings, [prediction(1)])
    assert before.empty
    assert dict(before.dtypes) == dict(read(settings).dtypes)


def test_a_period_is_read(settings, prediction):
    moments = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (1, 2, 3)]
    logged(settings, [prediction(place, at=when.timestamp()) for place, when in enumerate(moments)])
    assert sorted(day.name for day in folder(settings).iterdir()) == [
        f"date=2026-03-0{day}" for day in (1, 2, 3)
    ]
    assert list(read(settings, since=moments[1], until=moments[2]).request_id) == [id_of(1)]
    assert list(read(settings, since=moments[1] + timedelta(seconds=1)).request_id) == [id_of(2)]
    # without an offset a moment is UTC
    assert list(read(settings, until=datetime(2026, 3, 2), columns=["request_id"]).request_id) == [id_of(0)]


def test_a_full_queue_drops_and_counts(settings, prediction, until):
    gate = Gate()
    log = InferenceLog(settings, sink=gate, most_queued=10, rows=5)
    log.record([prediction(place) for place in range(8)])
    log.record([prediction(place) for place in range(3)])
    assert (log.queued, log.dropped) == (8, 3)
    log.start()
    until(gate.tried.is_set)
    # five are on their way; the rest of the queue is three
    for place in range(20):
        log.record([prediction(place)])
    assert log.queued == 15
    assert log.dropped == 3 + 20 - 7
    gate.open.set()
    log.close(30)
    assert (log.written, gate.rows, log.queued) == (15, 15, 0)


def test_close_gives_up_within_its_limit_and_says_what_was_lost(settings, prediction):
    log = InferenceLog(settings, sink=Gate())
    log.start()
    log.record([prediction(place) for place in range(7)])
    began = time.monotonic()
    log.close(0.3)
    assert time.monotonic() - began < 5
    assert (log.written, log.dropped) == (0, 7)
    log.record([prediction()])
    assert log.dropped == 8


def test_what_cannot_be_encoded_takes_nothing_else_along(settings, prediction):
    strange = prediction(1, features={"what": object()})
    log = logged(settings, [prediction(0), strange, prediction(2), prediction(3, request_id=object())])
    assert (log.written, log.dropped) == (2, 2)
    assert set(read(settings).request_id) == {id_of(0), id_of(2)}


def test_off_logs_nothing(tmp_path, prediction):
    settings = Settings(_env_file=None, home=tmp_path, inference_log="off")
    log = logged(settings, [prediction()])
    assert (log.written, log.dropped, log.queued) == (0, 0, 0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MonitoringError, match="not logged"):
        read(settings)


def test_a_setting_that_names_no_sink_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="FINML_INFERENCE_LOG"):
        InferenceLog(Settings(_env_file=None, home=tmp_path, inference_log="mysql://here"))


def test_several_processes_write_at_once(settings, prediction):
    script = CHILD.format(rows=300, close=True)
    children = [child(script, settings, name) for name in ("a", "b", "c")]
    assert [each.wait(60) for each in children] == [0, 0, 0]
    found = read(settings, columns=["request_id"])
    assert len(found) == 900
    assert found.request_id.nunique() == 900


def test_a_killed_process_loses_nothing_that_was_flushed(settings):
    process = child(CHILD.format(rows=2000, close=False), settings, "k")
    lines = iter(process.stdout.readline, "")
    written = next(int(line) for line in lines if int(line) >= 500)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    for file in files(settings):
        assert pq.read_table(file).num_rows > 0
    assert len(read(settings)) >= written
    # and the next one goes on beside what is there
    after = child(CHILD.format(rows=10, close=True), settings, "n")
    assert after.wait(60) == 0
    assert sum(read(settings).request_id.str.startswith("n")) == 10


CHILD = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from tests.monitoring.conftest import make_prediction
from finml.monitoring.inference_log import InferenceLog
from finml.settings import Settings
log = InferenceLog(Settings(_env_file=None, home=sys.argv[1]), rows=50, flush_s=0.05)
log.start()
for place in range({{rows}}):
    log.record([make_prediction(place, request_id=sys.argv[2] + str(place))])
    time.sleep(0.0005)
    if place % 20 == 0:
        print(log.written, flush=True)
if {{close}}:
    log.close(30)
else:
    while True:
        print(log.written, flush=True)
        time.sleep(0.05)
"""


def child(script, settings, name):
    command = [sys.executable, "-c", script, str(settings.home), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def files(settings):
    return sorted(folder(settings).glob("*/*.parquet"))


def test_a_full_disk_costs_rows_and_nothing_else(settings, prediction, until, monkeypatch):
    said = []
    monkeypatch.setattr("finml.monitoring.inference_log.warn", lambda event, **_: said.append(event))
    # a disk takes no byte more: what PyArrow is told then is what a process beyond its limit is told
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = InferenceLog(settings, most_queued=100, rows=10, flush_s=0.01)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        log.start()
        log.record([prediction(place) for place in range(60)])
        until(lambda: "inference_log_waits" in said)
        for place in range(60, 300):
            log.record([prediction(place)])
        dropped = log.dropped
        assert dropped >= 300 - 100 - 60
        assert (log.written, log.queued) == (0, 300 - dropped)
        assert list(folder(settings).rglob("*.p*")) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    until(lambda: log.written == 300 - dropped)
    log.record([prediction(1000)])
    log.close(30)
    assert log.dropped == dropped
    assert len(read(settings)) == 301 - dropped


def test_a_folder_that_cannot_be_written_is_said_once_there_is_something_to_write(tmp_path, prediction):
    (tmp_path / "inference_log").write_text("in the way")
    sink = ParquetSink(tmp_path / "inference_log")
    log = InferenceLog(Settings(_env_file=None, home=tmp_path), sink=sink)
    log.start()
    log.record([prediction()])
    log.close(0.2)
    assert log.dropped == 1


def test_compaction_keeps_every_row_once(settings, prediction, until):
    log = InferenceLog(settings, rows=10, flush_s=60)
    log.start()
    log.record([prediction(place) for place in range(100)])
    until(lambda: log.written == 100)
    assert len(files(settings)) == 10
    # a crash after the merge and before its sources went leaves rows twice
    spare = files(settings)[0].read_bytes()
    result = compact(settings, settled_s=-1)
    assert (result.before, result.after) == (10, 1)
    (folder(settings) / files(settings)[0].parent.name / "left.parquet").write_bytes(spare)
    assert len(files(settings)) == 2
    assert list(read(settings).request_id) == [id_of(place) for place in range(100)]
    assert compact(settings, settled_s=-1).before == 2
    assert sum(pq.read_metadata(file).num_rows for file in files(settings)) == 100
    # what was written just now may still be in its writer's hands
    assert compact(settings).before == 0
    log.close(30)


def test_only_the_owner_reads_the_files_also_after_a_compaction(settings, prediction):
    logged(settings, [prediction(1)])
    logged(settings, [prediction(2)])
    assert modes(folder(settings)) == {0o700: 2, 0o600: 2}
    assert compact(settings, settled_s=-1).before == 2
    (merged,) = folder(settings).glob("*/*.parquet")
    assert stat.S_IMODE(merged.stat().st_mode) == 0o600


def modes(root):
    """How many folders and files there are of each mode, the root among them."""
    return Counter(stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*")))


def test_readers_and_compactions_do_not_disturb_each_other(settings, prediction):
    for place in range(5):
        logged(settings, [prediction(place, at=1.77e9 + place)])
    stop = threading.Event()
    counts = []

    def keep_reading():
        while not stop.is_set():
            counts.append(len(read(settings)))

    reader = threading.Thread(target=keep_reading)
    reader.start()
    for place in range(5, 15):
        logged(settings, [prediction(place, at=1.77e9 + place)])
        compact(settings, settled_s=-1)
    stop.set()
    reader.join()
    assert counts == sorted(counts)
    assert counts[0] >= 5
    assert len(read(settings)) == 15


class Broken:
    def warning(self, *_, **__):
        raise OSError(28, "No space left on device")


def test_a_log_of_errors_on_the_same_full_disk_ends_nothing(settings, prediction, monkeypatch):
    monkeypatch.setattr("finml.monitoring.telling.log", Broken())
    log = logged(settings, [prediction(0, features={"what": object()}), prediction(1)])
    assert (log.written, log.dropped) == (1, 1)


@pytest.mark.slow
def test_recording_costs_the_caller_microseconds(settings, prediction):
    log = InferenceLog(settings, sink=Gate())
    ready = [[prediction(place)] for place in range(5000)]
    took = []
    for one in ready:
        began = time.perf_counter()
        log.record(one)
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 5e-6
