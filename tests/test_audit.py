import errno
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finml.audit import AuditLog, audit_folder, audit_secret, find, verify
from finml.audit.index import INDEX, is_held
from finml.audit.verify import logged_files
from finml.errors import AuditError, SettingsError
from finml.settings import Settings
from pipelines.cli.app import run_command

SECRET = b"0123456789abcdef0123456789abcdef"
ROOT = Path(__file__).parents[1]
NOON = 1_711_886_400.0


def decision(number):
    return {"request_id": f"r{number}", "caller": "key1", "decision": {"probability": 0.25, "band": "B"}}


def written(folder, decisions=5, *, seal=True, clock=lambda: NOON):
    log = AuditLog(folder, SECRET, name="serve", clock=clock)
    for number in range(decisions):
        log.append([decision(number)])
    if seal:
        log.close()
    return log


def only_file(folder):
    (name,) = logged_files(folder)
    return folder / name


def problems(folder):
    return [(problem.file, problem.line) for problem in verify(folder, SECRET).problems]


def crash(folder, decisions=5):
    """Write decisions in a process that is killed."""
    script = (
        "import os, sys; from pathlib import Path; from tests.test_audit import written; "
        f"written(Path(sys.argv[1]), {decisions}, seal=False); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=Path(__file__).parents[1], check=False
    )
    assert done.returncode == -signal.SIGKILL


def test_what_was_written_is_intact_and_can_be_found(tmp_path):
    written(tmp_path)
    report = verify(tmp_path, SECRET)
    assert (report.problems, report.warnings, report.decisions) == ([], [], 5)
    assert report.files[0].state == "sealed"
    (found,) = find(tmp_path, SECRET, "r3")
    assert found["genuine"]
    assert found["decision"] == {"probability": 0.25, "band": "B"}
    assert find(tmp_path, SECRET, "r") == []


def test_nothing_is_made_before_the_first_decision(tmp_path):
    log = AuditLog(tmp_path / "log", SECRET, name="serve")
    log.append([])
    log.close()
    assert not (tmp_path / "log").exists()
    with pytest.raises(AuditError, match="no audit log"):
        verify(tmp_path / "log", SECRET)


@given(data=st.data())
def test_any_change_of_a_file_is_found(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("log")
    written(folder, data.draw(st.integers(1, 6)))
    path = data.draw(st.sampled_from([only_file(folder), folder / INDEX]))
    lines = path.read_bytes().splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["edit", "remove", "swap", "copy", "cut"]))
    if how == "edit":
        at = data.draw(st.integers(0, len(lines[place]) - 2))
        byte = data.draw(st.integers(32, 126).filter(lambda new: new != lines[place][at]))
        lines[place] = lines[place][:at] + bytes([byte]) + lines[place][at + 1 :]
    elif how == "remove":
        del lines[place]
    elif how == "swap":
        other = data.draw(st.integers(0, len(lines) - 1).filter(lambda index: index != place))
        lines[place], lines[other] = lines[other], lines[place]
    elif how == "copy":
        lines.insert(data.draw(st.integers(0, len(lines))), lines[place])
        if lines == path.read_bytes().splitlines(keepends=True):
            return
    else:
        lines[place:] = [lines[place][: data.draw(st.integers(0, len(lines[place]) - 1))]]
    path.write_bytes(b"".join(lines))
    report = verify(folder, SECRET)
    # the loss of the index's last entry shows as a file that is sealed without it
    assert report.problems or (path.name == INDEX and report.warnings)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (lambda lines: [*lines[:2], lines[2].replace(b'"B"', b'"A"'), *lines[3:]], 3, "edited"),
        (lambda lines: [*lines[:2], *lines[3:]], 3, "removed"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3, "moved"),
        (lambda lines: [*lines[:3], lines[1], *lines[3:]], 4, "copied"),
        (lambda lines: [*lines, lines[-1]], 8, "copied"),
        (lambda lines: lines[:4], 4, "3 were cut off"),
    ],
)
def test_the_first_break_is_named(tmp_path, change, line, words):
    written(tmp_path)
    path = only_file(tmp_path)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    (problem,) = verify(tmp_path, SECRET).problems
    assert (problem.file, problem.line) == (path.name, line)
    assert words in problem.message


def test_a_missing_file_and_one_from_elsewhere_are_found(tmp_path):
    written(tmp_path / "a")
    written(tmp_path / "b")
    ours, other = only_file(tmp_path / "a"), only_file(tmp_path / "b")
    other.rename(tmp_path / "a" / other.name)
    ours.unlink()
    assert sorted(problems(tmp_path / "a")) == sorted([(ours.name, 0), (other.name, 0)])


def test_a_file_cannot_take_the_name_of_another(tmp_path):
    written(tmp_path)
    written(tmp_path)
    first, second = (tmp_path / name for name in logged_files(tmp_path))
    first.write_bytes(second.read_bytes())
    assert (first.name, 1) in problems(tmp_path)


def test_a_missing_index_is_found(tmp_path):
    written(tmp_path)
    (tmp_path / INDEX).unlink()
    assert (INDEX, 0) in problems(tmp_path)


def test_the_loss_of_a_file_with_its_entries_is_found_by_a_head_kept_elsewhere(tmp_path):
    written(tmp_path)
    before = (tmp_path / INDEX).read_bytes()
    ours = only_file(tmp_path)
    written(tmp_path)
    head = verify(tmp_path, SECRET).head
    assert verify(tmp_path, SECRET, expected_head=head).problems == []
    (tmp_path / INDEX).write_bytes(before)
    (later,) = [tmp_path / name for name in logged_files(tmp_path) if name != ours.name]
    later.unlink()
    assert verify(tmp_path, SECRET).problems == []
    (problem,) = verify(tmp_path, SECRET, expected_head=head).problems
    assert (problem.file, problem.line) == (INDEX, 0)


def test_another_secret_proves_nothing(tmp_path):
    written(tmp_path)
    assert verify(tmp_path, b"x" * 32).problems


def test_each_day_has_a_file_of_its_own(tmp_path):
    seconds = iter([NOON, NOON, NOON + 43_199, NOON + 43_200, NOON + 50_000, NOON + 50_000])
    log = AuditLog(tmp_path, SECRET, name="serve", clock=lambda: next(seconds))
    for number in range(5):
        log.append([decision(number)])
    log.close()
    report = verify(tmp_path, SECRET)
    assert [(checked.file[:10], checked.decisions, checked.state) for checked in report.files] == [
        ("2024-03-31", 3, "sealed"),
        ("2024-04-01", 2, "sealed"),
    ]
    assert report.problems == []


def test_an_open_file_can_be_verified(tmp_path):
    log = written(tmp_path, seal=False)
    report = verify(tmp_path, SECRET)
    assert (report.files[0].state, report.problems, report.warnings) == ("open", [], [])
    log.close()
    log.append([decision(9)])
    assert [checked.state for checked in verify(tmp_path, SECRET).files].count("open") == 1
    log.close()


def test_a_killed_process_loses_nothing_and_the_next_one_records_its_end(tmp_path):
    crash(tmp_path)
    report = verify(tmp_path, SECRET)
    assert (report.decisions, report.problems, report.files[0].state) == (5, [], "unsealed")
    assert "not sealed" in report.warnings[0].message
    dead = only_file(tmp_path)
    written(tmp_path)
    report = verify(tmp_path, SECRET)
    assert (report.problems, report.warnings) == ([], [])
    assert {checked.file: checked.state for checked in report.files}[dead.name] == "abandoned"
    # from now on the loss of its end shows
    dead.write_bytes(b"".join(dead.read_bytes().splitlines(keepends=True)[:-1]))
    assert problems(tmp_path) == [(dead.name, 5)]


def test_a_line_torn_by_a_crash_is_told_from_tampering(tmp_path):
    crash(tmp_path)
    dead = only_file(tmp_path)
    dead.write_bytes(dead.read_bytes() + b'{"seq":6,"time":"2024')
    report = verify(tmp_path, SECRET)
    assert report.problems == []
    assert [warning.line for warning in report.warnings] == [7, 6]
    assert "within a line" in report.warnings[0].message
    dead.write_bytes(dead.read_bytes() + b"\n")
    assert problems(tmp_path) == [(dead.name, 7)]


def test_an_entry_of_the_index_torn_by_a_crash_is_gone_on_behind(tmp_path):
    written(tmp_path)
    index = tmp_path / INDEX
    index.write_bytes(index.read_bytes() + b'{"seq":2,"ti')
    written(tmp_path)
    report = verify(tmp_path, SECRET)
    assert report.problems == []
    assert [(warning.file, warning.line) for warning in report.warnings] == [(INDEX, 3)]


def append_many(folder, name):
    log = AuditLog(folder, SECRET, name=name)
    for number in range(300):
        log.append([decision(f"{name}-{number}-{place}") for place in range(3)])
    log.close()


def test_processes_append_at_the_same_time(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=append_many, args=(tmp_path, name)) for name in ("a", "b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    report = verify(tmp_path, SECRET)
    assert (report.problems, report.warnings, report.decisions) == ([], [], 1800)
    assert [checked.decisions for checked in report.files] == [900, 900]


def test_a_process_killed_midway_leaves_every_decision_that_it_acknowledged(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.test_audit import SECRET, AuditLog, count, decision\n"
        "log = AuditLog(Path(sys.argv[1]), SECRET, name='serve')\n"
        "for number in count():\n    log.append([decision(number)]); print(number, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    for _ in range(500):
        process.stdout.readline()
    process.kill()
    acknowledged = 500 + len([line for line in process.stdout.read().split(b"\n")[:-1] if line])
    process.wait()
    report = verify(tmp_path, SECRET)
    assert report.problems == []
    assert report.decisions >= acknowledged


def test_a_forked_process_has_a_file_of_its_own(tmp_path):
    log = written(tmp_path, 2, seal=False)
    child = os.fork()
    if child == 0:
        log.append([decision("child")])
        log.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.append([decision("parent")])
    log.close()
    report = verify(tmp_path, SECRET)
    assert (report.problems, report.warnings) == ([], [])
    assert sorted(checked.decisions for checked in report.files) == [1, 3]


def test_a_full_disk_refuses_and_keeps_no_part_of_a_request(tmp_path):
    # the kernel refuses to let a file grow beyond the limit, as a full disk does
    log = written(tmp_path, 2, seal=False)
    path = only_file(tmp_path)
    before, size = resource.getrlimit(resource.RLIMIT_FSIZE), path.stat().st_size
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 500, before[1]))
    try:
        with pytest.raises(AuditError) as refused:
            log.append([decision(number) for number in range(5)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert refused.value.hint
    assert path.stat().st_size == size
    log.append([decision("after")])
    log.close()
    report = verify(tmp_path, SECRET)
    assert (report.problems, report.decisions) == ([], 3)


def test_after_a_part_that_cannot_be_cut_off_the_log_goes_on_in_another_file(tmp_path, monkeypatch):
    log = written(tmp_path, 2, seal=False)
    torn = only_file(tmp_path)
    whole = torn.stat().st_size

    def half(descriptor, data):
        return os.pwrite(descriptor, data[:40], os.fstat(descriptor).st_size)

    def failing(*_):
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as patch:
        patch.setattr("finml.audit.log.os.write", half)
        patch.setattr("finml.audit.log.os.ftruncate", failing)
        with pytest.raises(AuditError):
            log.append([decision("lost")])
    assert torn.stat().st_size > whole
    log.append([decision("after")])
    log.close()
    assert torn.stat().st_size == whole + 40
    assert (
        len([path for path in tmp_path.glob("*.jsonl") if path != torn and path.name != "index.jsonl"]) == 1
    )
    assert verify(tmp_path, SECRET).decisions == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system is mounted by root only")
def test_a_full_file_system_refuses_until_there_is_space(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        log, kept = AuditLog(disk / "log", SECRET, name="serve"), 0
        (disk / "other").write_bytes(b"x" * 16_384)
        with pytest.raises(AuditError):  # when it is full is for the kernel to say
            for kept in count():
                log.append([decision(kept)])
        (disk / "other").unlink()
        log.append([decision("after")])
        log.close()
        report = verify(disk / "log", SECRET)
        assert (report.problems, report.decisions) == ([], kept + 1)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_cannot_be_made_refuses(tmp_path):
    (tmp_path / "log").write_text("a file")
    with pytest.raises(AuditError, match="cannot be written"):
        AuditLog(tmp_path / "log", SECRET, name="serve").append([decision(1)])


@pytest.mark.parametrize("call", ["fsync", "dup"])
def test_a_disk_that_fails_later_refuses_once_and_goes_on_in_another_file(tmp_path, monkeypatch, call):
    monkeypatch.setattr("finml.audit.log.FSYNC_S", 0.01)
    log = written(tmp_path, 1, seal=False)
    with monkeypatch.context() as patched:
        patched.setattr(f"finml.audit.log.os.{call}", fail)
        log.append([decision(2)])
        wait_until(lambda: log._failure)
    with pytest.raises(AuditError, match="brought to the disk"):
        log.append([decision(3)])
    log.append([decision(4)])
    log.close()
    report = verify(tmp_path, SECRET)
    assert (report.problems, report.decisions) == ([], 3)
    assert sorted(checked.state for checked in report.files) == ["abandoned", "sealed"]


def fail(_):
    raise OSError("bad disk")


def wait_until(holds, seconds=20):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_growing_file_is_entered_in_the_index(tmp_path, monkeypatch):
    monkeypatch.setattr("finml.audit.log.FSYNC_S", 0.01)
    monkeypatch.setattr("finml.audit.log.REACHED_S", 0.0)
    log = written(tmp_path, 3, seal=False)
    wait_until(lambda: b'"kind":"reached"' in (tmp_path / INDEX).read_bytes())
    log.close()
    assert problems(tmp_path) == []


@pytest.mark.parametrize("wrong", [{}, {"seq": 1}, {"mac": "x", "request_id": "r"}])
def test_a_decision_cannot_pass_for_more_than_it_is(tmp_path, wrong):
    with pytest.raises(ValueError, match="a decision must"):
        AuditLog(tmp_path, SECRET, name="serve").append([decision(1), wrong])
    assert not list(tmp_path.iterdir())


def test_what_is_no_json_is_refused_whole(tmp_path):
    log = written(tmp_path, 1, seal=False)
    with pytest.raises(ValueError, match="JSON"):
        log.append([decision(1), {"probability": float("nan")}])
    log.close()
    assert verify(tmp_path, SECRET).decisions == 1


def test_the_secret_is_made_once_and_is_its_owner_s(tmp_path):
    settings = Settings(home=tmp_path)
    assert audit_secret(settings) == audit_secret(settings)
    assert (tmp_path / "audit" / "secret").stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "audit").iterdir()) == [tmp_path / "audit" / "secret"]


def test_a_secret_may_be_set_but_not_a_short_one(tmp_path):
    assert audit_secret(Settings(home=tmp_path, audit_secret="x" * 32)) == b"x" * 32
    with pytest.raises(SettingsError, match="fewer than 32"):
        audit_secret(Settings(home=tmp_path, audit_secret="short"))  # noqa: S106  # none
    with pytest.raises(SettingsError, match="fewer than 32"):
        audit_secret(Settings(home=tmp_path, audit_secret=" " * 64))


@pytest.mark.parametrize("content", [b"", b"\n", b" " * 64, b"x" * 31])
def test_a_secret_that_was_emptied_is_neither_used_nor_replaced(home, content, capfd):
    secret = home / "audit" / "secret"
    secret.write_bytes(content)
    with pytest.raises(AuditError, match=r"audit/secret has fewer than 32") as caught:
        AuditLog.of(Settings(home=home))
    assert "restore it" in caught.value.hint
    assert run_command(["audit", "verify"]) == 1
    assert "fewer than 32 characters" in capfd.readouterr().err
    assert secret.read_bytes() == content


def test_files_are_their_owner_s(tmp_path):
    written(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert not is_held(only_file(tmp_path))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("finml.settings.get_settings", lambda: Settings(home=tmp_path))
    log = AuditLog.of(Settings(home=tmp_path))
    log.append([decision(1), decision(2)])
    log.close()
    return tmp_path


def test_the_command_says_that_a_log_is_intact(home, capfd):
    assert run_command(["audit", "verify", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert (document["intact"], document["decisions"]) == (True, 2)
    assert run_command(["audit", "verify", "--since", document["head"]]) == 0
    assert "intact" in capfd.readouterr().out


def test_the_command_names_the_first_break(home, capfd):
    path = only_file(audit_folder(Settings(home=home)))
    path.write_bytes(path.read_bytes().replace(b"r2", b"r7"))
    assert run_command(["audit", "verify"]) == 1
    assert f"{path.name}:3 was edited" in capfd.readouterr().err
    assert run_command(["audit", "verify", "--json"]) == 1
    (problem,) = json.loads(capfd.readouterr().out)["problems"]
    assert problem == {"file": path.name, "line": 3, "message": "was edited"}
    assert run_command(["audit", "show", "r7"]) == 1
    assert "NOT AS IT WAS WRITTEN" in capfd.readouterr().out


def test_the_command_shows_a_request(home, capfd):
    assert run_command(["audit", "show", "r2", "--json"]) == 0
    (entry,) = json.loads(capfd.readouterr().out)
    assert (entry["request_id"], entry["genuine"]) == ("r2", True)
    assert run_command(["audit", "show", "r9"]) == 1
    assert "no decision of request r9" in capfd.readouterr().err
