"""What a request costs of its caller's quota."""

import pytest

from finml.access.key_store import KeyStore
from finml.errors import DataError, FeatureError
from finml.settings import Settings
from tests.bentos.edges import Desk


def store_away(desk: Desk) -> None:
    desk.model.error = FeatureError("the store is away", hint="wait")


def broken_model(desk: Desk) -> None:
    desk.model.error = RuntimeError("boom")


def slow_model(desk: Desk) -> None:
    desk.model.free.clear()


def odd_input(desk: Desk) -> None:
    desk.model.error = DataError("not today")


@pytest.mark.parametrize(
    ("harm", "status", "then"),
    [
        (store_away, 503, 200),
        (broken_model, 500, 200),
        (slow_model, 504, 200),
        # the caller's own doing
        (odd_input, 422, 429),
        (lambda desk: None, 200, 429),
    ],
)
def test_what_gets_no_answer_by_a_fault_of_the_service_costs_no_quota(tmp_path, harm, status, then):
    settings = Settings(home=tmp_path, auth="required", inference_log="off", keys_file="", keys_secret="")
    key = KeyStore(settings).create("a caller", ["*:predict"], daily_quota=5)
    desk = Desk(settings, timeout_s=0.2)

    async def calls(client):
        async def ask():
            body = {"inputs": [{"number": number} for number in range(3)]}
            answer = await client.post("/predict/doubling", json=body, headers={"x-api-key": key.text})
            return answer.status_code

        harm(desk)
        first = await ask()
        desk.model.error = None
        desk.model.free.set()
        return first, await ask(), await ask()

    assert desk.run(calls) == (status, then, 429)
