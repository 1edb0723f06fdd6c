"""The page: whole, self-contained, and there for every kind of run."""

import base64
import re

import pytest

from loadtests.judging import judge
from loadtests.memory import Sample
from loadtests.plan import Plan
from loadtests.recording import Recording
from loadtests.report import write
from loadtests.run import Outcome
from loadtests.scenarios import load


def outcome(
    name: str, *, stopped_s: float | None = None, rude: str = "status 500", unanswered: int = 1
) -> Outcome:
    """A run in which every twentieth request fails, every twentieth is refused, and one is never answered."""
    scenario = load()[name]
    plan = Plan(name=name, scenario=scenario, models={"intent": 1.0}, user_ids=["u"])
    recording = Recording(started_at=1000.0, stopped_s=stopped_s)
    for second in range(scenario.seconds):
        for number in range(20):
            recording.send("/predict/intent", second, 1)
            if number == 0:
                recording.fail("/predict/intent", second, rude)
            elif number == 1:
                recording.shed("/predict/intent", second)
            else:
                recording.answer("/predict/intent", second, 20 + second)
    for _ in range(unanswered):
        recording.send("/explain/intent", scenario.seconds - 1, 1)
    samples = [Sample(at=1000.0 + t, mib=500, processes=2) for t in range(scenario.seconds)]
    return Outcome(plan, recording, samples, judge(plan, recording, samples))


@pytest.mark.parametrize("name", ["smoke", "steady", "spike", "soak", "breakpoint"])
def test_every_kind_of_run_has_its_page(tmp_path, name):
    write(outcome(name), tmp_path / "new" / "page.html")
    page = (tmp_path / "new" / "page.html").read_text()
    assert f"{name}: BROKEN, first by" in page or name == "breakpoint"
    images = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(images) >= 3
    assert all(base64.b64decode(image).rstrip().endswith(b"</svg>") for image in images)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]


def test_a_rate_that_broke_shows_what_was_tried(tmp_path):
    write(outcome("breakpoint", stopped_s=18.4), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "By rate" in page
    assert "capacity: 0 requests a second" in page


def test_a_latency_within_budget_is_among_the_findings(tmp_path):
    write(outcome("steady", unanswered=0), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert re.search(r"latency of /predict/intent: p95 \d+ ms, at most 500 ms</td>\s*<td class=\"ok\">", page)


def test_what_a_service_says_is_text_and_no_markup(tmp_path):
    write(outcome("steady", rude="<script>alert(1)</script>"), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
