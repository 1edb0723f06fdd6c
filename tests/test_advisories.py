import importlib.util
import json
from datetime import date
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / ".ci" / "advisories.py"
SPEC = importlib.util.spec_from_file_location("advisories", PATH)
advisories = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(advisories)
TODAY = date(2026, 11, 25)
BAD = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}


def output(*packages):
    return json.dumps({"dependencies": list(packages)})


def good(name="a", **vulns):
    return {"name": name, "version": "1", "vulns": list(vulns.values())}


def judged(text, *, ignored=None, allow=False, errors=""):
    return advisories.verdict(advisories.understand(text, errors, ignored or {}), allow_unreachable=allow)


def test_nothing_found_is_said_with_how_many_were_asked_about():
    assert judged(output(good("a"), good("b"))) == (0, ["no advisory for any of 2 packages"])


def test_an_advisory_fails_with_its_fix():
    code, lines = judged(output(good(bad=BAD)))
    assert (code, lines) == (1, ["advisory: a 1: PYSEC-1, fixed in 2.1"])


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-1"])
def test_one_that_was_read_is_said_and_passes(name):
    code, lines = judged(output(good(bad=BAD)), ignored={name: "a"})
    assert code == 0
    assert lines[0].startswith("read and ignored: a 1: PYSEC-1")


def test_one_that_was_read_for_another_package_fails():
    assert judged(output(good(bad=BAD)), ignored={"PYSEC-1": "b"})[0] == 1


@pytest.mark.parametrize(
    ("text", "errors", "words"),
    [
        (output({"name": "a", "skip_reason": "not found"}, good("b")), "", "about 1 of 2 packages"),
        ("", "Traceback\nConnectionError: no route", "about anything: ConnectionError: no route"),
        ("", "", "about anything: no answer"),
    ],
)
def test_no_answer_is_told_from_a_good_one(text, errors, words):
    code, lines = judged(text, errors=errors)
    assert code == 3
    assert words in lines[0]
    allowed, said = judged(text, errors=errors, allow=True)
    assert (allowed, said) == (0, lines)


def test_an_advisory_fails_even_where_others_could_not_be_asked_about():
    text = output({"name": "a", "skip_reason": "not found"}, good("b", bad=BAD))
    assert judged(text, allow=True)[0] == 1


ENTRY = '[[ignored]]\nid = "PYSEC-1"\npackage = "a"\nreason = "{reason}"\ndate = {day}\n'


def test_the_list_gives_packages_by_id():
    text = ENTRY.format(reason="not called", day="2026-11-01")
    assert advisories.ignored_ids(text, TODAY) == {"PYSEC-1": "a"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY.format(reason="", day="2026-11-01"), "lacks reason"),
        ('[[ignored]]\nid = "PYSEC-1"\n', "lacks date, package, reason"),
        (ENTRY.format(reason="not called", day="2026-01-01"), "read it again"),
    ],
)
def test_no_advisory_is_ignored_without_a_reason_or_for_ever(text, words):
    with pytest.raises(advisories.IgnoreListError, match=words):
        advisories.ignored_ids(text, TODAY)


def test_the_list_of_this_tree_can_be_used():
    advisories.ignored_ids(PATH.with_suffix(".toml").read_text(), TODAY)
