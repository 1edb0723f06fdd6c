"""What is kept of a load test, and that its percentiles are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.recording import UNANSWERED_MS, Recording, add, figures, percentile, total

ROUTES = st.sampled_from(["/predict/intent", "/explain/intent"])
EVENTS = st.lists(st.tuples(ROUTES, st.floats(0, 30), st.sampled_from(["answer", "shed", "fail", "none"])))


def record(events) -> Recording:
    recording = Recording()
    for route, due, what in events:
        recording.send(route, due, 1.0)
        if what == "answer":
            recording.answer(route, due, 10.0)
        elif what == "shed":
            recording.shed(route, due)
        elif what == "fail":
            recording.fail(route, due, "status 500")
    return recording


@given(st.lists(st.floats(0.02, 50_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentile_is_the_nearest_rank_to_one_percent(times, share):
    counted: dict[int, int] = {}
    for ms in times:
        add(counted, ms)
    assert percentile(counted, share) == pytest.approx(
        np.quantile(times, share, method="inverted_cdf"), rel=0.011
    )


def test_nothing_has_no_percentile():
    assert percentile({}, 0.95) == 0


@given(EVENTS, EVENTS)
def test_two_processes_record_as_one_does(here, there):
    merged = record(here)
    merged.merge(record(there))
    assert merged == record([*here, *there])


@given(EVENTS)
def test_a_recording_survives_its_file(events):
    recording = record(events)
    assert Recording.model_validate_json(recording.model_dump_json()) == recording


@given(EVENTS)
def test_every_request_is_counted_once(events):
    recording = record(events)
    whole = total(recording.span(0, 31).values())
    assert whole.sent == len(events)
    assert whole.answered + whole.shed + whole.failed + whole.pending == len(events)
    assert recording.pending == len([what for *_, what in events if what == "none"])


def test_a_span_holds_what_was_due_in_it():
    recording = record([("/predict/intent", due, "answer") for due in (0.5, 1.0, 1.9, 2.0)])
    assert recording.span(1, 2)["/predict/intent"].sent == 2
    assert recording.span(3, 9) == {}


def test_what_was_never_answered_has_failed_and_is_slow():
    found = figures("/predict/intent", record([("/predict/intent", 0, "none")]).cells["/predict/intent"][0])
    assert found.failed == 1
    assert found.p95_ms == pytest.approx(UNANSWERED_MS, rel=0.011)


def test_refusals_and_failures_do_not_make_a_route_fast():
    events = [("/predict/intent", 0, "answer"), *[("/predict/intent", 0, "shed")] * 9]
    found = figures("/predict/intent", record(events).cells["/predict/intent"][0])
    assert found.p50_ms == pytest.approx(10, rel=0.011)
    assert (found.answered, found.shed, found.failed) == (1, 9, 0)


def test_a_service_that_fails_in_many_ways_does_not_fill_the_memory():
    recording = Recording()
    for number in range(1000):
        recording.fail("/predict/intent", 0, f"{number}" + "x" * 1000)
    assert len(recording.errors) == 50
    assert max(map(len, recording.errors)) < 250
