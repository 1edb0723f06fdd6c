import io

import pytest

from pipelines.progress import Step, StepError, StepWatcher, raised

BLUE, RESET = "\x1b[96m", "\x1b[0m"


@pytest.fixture
def watched():
    """A watcher of the steps `a` and `b`, its log, and what it told of."""
    steps = {name: Step(name=name, title=name.upper()) for name in ("a", "b")}
    told, log = [], io.StringIO()
    watcher = StepWatcher(
        steps,
        log,
        lambda step: told.append(("start", step.name)),
        lambda step: told.append(("end", step.name, step.state)),
    )
    return watcher, steps, told, log


def start(name):
    return f"12:00:00.000 - INFO - Executing task {BLUE}'{name}'{RESET}\n"


def end(name, status):
    level = "INFO" if status == "SUCCESS" else "ERROR"
    return f"12:00:01.000 - {level} - Task {BLUE}'{name}'{RESET} finished with status {BLUE}{status}{RESET}\n"


def test_steps_start_and_end_as_kfp_says(watched):
    watcher, steps, told, _ = watched
    watcher.write(start("a") + end("a", "SUCCESS") + start("b") + end("b", "FAILURE"))
    assert told == [
        ("start", "a"),
        ("end", "a", "succeeded"),
        ("start", "b"),
        ("end", "b", "failed"),
    ]
    assert steps["a"].seconds >= 0


def test_lines_may_come_in_pieces(watched):
    watcher, _, told, _ = watched
    for character in start("a"):
        watcher.write(character)
    assert told == [("start", "a")]


def test_the_log_has_every_line_without_colours(watched):
    watcher, _, _, log = watched
    watcher.write(start("a") + "    hello\n")
    assert log.getvalue() == "12:00:00.000 - INFO - Executing task 'a'\n    hello\n"


def test_the_last_traceback_says_why(watched):
    watcher, steps, _, _ = watched
    watcher.write(start("a") + "    ModuleNotFoundError: No module named 'x'\n" + end("a", "FAILURE"))
    assert steps["a"].error == StepError(type="ModuleNotFoundError", message="No module named 'x'")


def test_only_the_end_of_a_traceback_is_an_exception():
    assert raised("INFO: started") is None
    assert raised("pkg.mod.OddError: words: more") == StepError(type="OddError", message="words: more")
