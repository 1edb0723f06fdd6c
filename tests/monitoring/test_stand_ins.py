"""Stand-ins for people do not lead from one log to another."""

import asyncio
import json

from finml.access.tokens import Tokens
from finml.monitoring.inference_log import InferenceLog
from finml.monitoring.reading import read
from tests.access.issuer import AUDIENCE, URL, Issuer


def test_who_calls_and_whom_a_prediction_is_about_cannot_be_told_to_be_the_same(
    settings, tmp_path, prediction
):
    issuer = Issuer()
    (tmp_path / "jwks.json").write_text(json.dumps(issuer.jwks))
    update = {"jwt_issuer": URL, "jwt_audience": AUDIENCE, "jwt_jwks": str(tmp_path / "jwks.json")}
    settings = settings.model_copy(update=update)
    # a customer who asks about itself
    caller = asyncio.run(Tokens.of(settings).find(issuer.token(sub="u1")))
    log = InferenceLog(settings)
    log.start()
    log.record([prediction(1, caller=caller.id), prediction(2, caller=caller.id)])
    log.close(30)
    found = read(settings)
    assert found.subject.nunique() == 2
    assert set(found.caller) == {caller.id}
    assert not set(found.subject) & {caller.id, caller.id.removeprefix("jwt:")}
