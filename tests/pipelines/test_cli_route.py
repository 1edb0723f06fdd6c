"""`finml route` as its callers see it: what it writes, says, refuses, and ends with."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from bentos.release import Release, ReleasedModel
from finml.routing import file
from finml.routing.changes import set_rule
from finml.routing.router import Router
from finml.routing.rules import Rule
from pipelines.cli import output
from pipelines.cli.route import print_routing

HELD = {"intent": ["champion", "challenger", "previous"]}


def model(name, version, alias):
    return ReleasedModel(
        name=name,
        version=version,
        alias=alias,
        manifest_sha256="a" * 64,
        run_id="run",
        git_commit="c" * 40,
        data_hash="d" * 64,
        gate=[],
    )


@pytest.fixture
def packaged(settings):
    """A home whose newest Bento holds three variants of one model and a champion of another."""
    release = Release(
        project="p",
        models=[
            model("intent", 7, "champion"),
            model("intent", 8, "challenger"),
            model("intent", 6, "previous"),
            model("spending", 1, "champion"),
        ],
    )
    bentos = settings.bento_home / "bentos" / "finance"
    release.write(bentos / "abc" / "src" / "serving")
    (bentos / "latest").write_text("abc")
    return settings


def cells_of(line):
    return [cell.strip() for cell in line.split("│")]


def test_set_show_rollback(finml, packaged):
    done = finml(
        "route", "set", "intent", "split", "--challenger", "10", "--who", "ana", "--why", "to compare"
    )
    assert (done.code, done.stdout) == (0, "intent: split: 10 % challenger (before: champion).\n")
    shown = finml("route", "show", "--json").document
    assert shown["models"]["intent"]["rule"] == "split: 10 % challenger"
    assert shown["models"]["intent"]["held"] == {
        "champion": "intent@7",
        "challenger": "intent@8",
        "previous": "intent@6",
    }
    assert (shown["refused"], shown["file"]) == ({}, str(packaged.routing))
    page = finml("route", "show").stdout
    assert "split: 10 % challenger" in page
    cells = {row[1]: row[4:7] for row in map(cells_of, page.splitlines()) if len(row) > 7}
    assert (cells["intent"], cells["spending"]) == (["7", "8", "6"], ["1", "", ""])
    assert finml("route", "rollback", "intent", "--json").document["after"] == "champion"
    assert finml("route", "rollback", "intent").stdout == "intent: previous (before: champion).\n"
    assert file.read(packaged.routing).rule("intent").to == "previous"
    assert finml("route", "rollback", "intent").code == 1


def test_versions_are_shown_on_a_narrow_terminal(monkeypatch):
    to = io.StringIO()
    narrow = Console(file=to, width=80, soft_wrap=True, force_terminal=True, color_system=None)
    monkeypatch.setattr(output, "console", narrow)
    held = {
        alias: f"credit_risk@{n}" for alias, n in (("champion", 104), ("challenger", 105), ("previous", 103))
    }
    shown = {"rule": "canary: 5 % for 10 minutes, then 25 %", "challenger_percent": 12.5, "held": held}
    models = {"credit_risk": {**shown, "rolled_back": None}}
    print_routing({"models": models, "refused": {}, "file": "routing.yaml"})
    row = next(cells_of(line) for line in to.getvalue().splitlines() if "credit_risk" in line)
    assert (row[1], row[4:7]) == ("credit_risk", ["104", "105", "103"])


@pytest.fixture
def ended(finml, packaged):
    """The same, where a canary has just ended by itself."""
    finml("route", "set", "intent", "canary", "--steps", "50:10")
    router = Router(packaged.routing, HELD)
    for _ in range(200):
        router.observe("intent", "challenger", ok=False, latency_s=0.01)
    assert router.check()
    return packaged


def test_what_has_just_been_rolled_back_by_itself_goes_no_further_unasked(finml, ended):
    again = finml("route", "rollback", "intent")
    assert (again.code, file.read(ended.routing).rule("intent").to) == (1, "champion")
    said = " ".join(again.stderr.split())
    assert "nothing was changed: the canary of intent has just ended by itself" in said
    assert "100.0% of the challenger's answers failed" in said
    assert "finml route rollback intent --to previous" in said
    stays = finml("route", "rollback", "intent", "--to", "champion")
    assert (stays.code, stays.stdout) == (0, "intent: champion already.\n")
    further = finml("route", "rollback", "intent", "--to", "previous")
    assert further.stdout == "intent: previous (before: champion).\n"
    assert finml("route", "rollback", "intent", "--to", "previous").stdout == "intent: previous already.\n"
    forward = finml("route", "rollback", "intent", "--to", "champion")
    assert (forward.code, file.read(ended.routing).rule("intent").to) == (1, "previous")


def test_a_canary_that_ended_long_ago_is_in_no_rollback_s_way(finml, ended):
    rule = file.read(ended.routing).rule("intent")
    old = rule.rolled_back.model_copy(update={"at": rule.rolled_back.at - timedelta(minutes=11)})
    set_rule(ended.routing, HELD, "intent", rule.model_copy(update={"rolled_back": old}), who="test")
    assert finml("route", "rollback", "intent").stdout == "intent: previous (before: champion).\n"
    assert file.read(ended.routing).rule("intent") == Rule(to="previous")


def test_the_help_of_a_rollback_says_when_it_changes_nothing(finml):
    said = " ".join(finml("route", "rollback", "--help").stdout.replace("│", " ").split())
    assert "its exit code is 1" in said
    assert "within the last 10 minutes" in said


def test_a_trial_can_go_to_the_previous_champion_at_once(finml, packaged):
    finml("route", "set", "intent", "split", "--challenger", "10")
    assert finml("route", "rollback", "intent", "--to", "previous").code == 0
    assert file.read(packaged.routing).rule("intent").to == "previous"


def test_a_canary(finml, packaged):
    words = ("--steps", "5:10,25:10,50:30", "--limit", "error_rate=0.05", "--limit", "score_shift=null")
    done = finml("route", "set", "intent", "canary", *words, "--min-requests", "50", "--json").document
    assert done["after"] == "canary: 5 % for 10 min, 25 % for 10 min, 50 % for 30 min"
    canary = file.read(packaged.routing).rule("intent").canary
    assert (canary.limits.error_rate, canary.limits.score_shift, canary.min_requests) == (0.05, None, 50)
    shown = finml("route", "show", "--json").document["models"]["intent"]
    assert shown["challenger_percent"] == 5


@pytest.mark.parametrize("way", ["previous", "shadow", "champion"])
def test_ways_without_options(finml, packaged, way):
    assert finml("route", "set", "intent", way).code == 0
    rule = file.read(packaged.routing).rule("intent")
    assert way in (rule.to, rule.shadow and "shadow")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set", "spending", "shadow"), 1, "holds no challenger of spending"),
        (("rollback", "spending"), 1, "holds no previous of spending"),
        (("set", "nope", "champion"), 1, "holds no model nope"),
        (("set", "intent", "split"), 2, "a split needs shares"),
        (("set", "intent", "champion", "--challenger", "10"), 2, "a split needs shares"),
        (("set", "intent", "split", "--challenger", "60", "--previous", "60"), 2, "more than 100 percent"),
        (
            ("set", "intent", "split", "--challenger", "nan"),
            2,
            "value for '--challenger'",
        ),
        (("set", "intent", "canary", "--steps", "nan:5"), 2, "no step of a canary"),
        (("set", "intent", "canary", "--steps", "5:9", "--limit", "p95_ms=nan"), 2, "no canary"),
        (("set", "intent", "canary"), 2, "a canary needs steps"),
        (("set", "intent", "shadow", "--steps", "5:10"), 2, "a canary needs steps"),
        (("set", "intent", "split", "--challenger", "5", "--limit", "p95_ms=5"), 2, "a canary needs steps"),
        (("set", "intent", "canary", "--steps", "5"), 2, "no step of a canary"),
        (("set", "intent", "canary", "--steps", "5:9", "--limit", "auc=1"), 2, "no canary"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(finml, packaged, words, code, said):
    outcome = finml("route", *words, "--json")
    assert outcome.code == code
    assert said in outcome.document["error"]["message"]
    assert not packaged.routing.exists()


def test_rules_that_the_newest_bento_cannot_follow_are_shown(finml, packaged):
    packaged.routing.write_text("models: {spending: previous, gone: champion}")
    shown = finml("route", "show")
    assert "refused: the Bento holds no previous of spending" in shown.stdout
    assert finml("route", "show", "--json").document["refused"]["gone"] == "the Bento holds no model gone"


def test_without_a_bento_there_is_nothing_to_route(finml, settings):
    outcome = finml("route", "set", "intent", "previous")
    assert (outcome.code, "finml run release" in outcome.stderr) == (1, True)
