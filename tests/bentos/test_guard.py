"""Who is let in, and to what."""

import asyncio
import json
import threading
import time

import pytest

from bentos.guard import CHALLENGE, Admitted, Guard, Refused
from finml.access.key_store import KeyStore
from finml.errors import SettingsError
from tests.access.issuer import AUDIENCE, URL, Issuer
from tests.bentos.guards import HOME, ask, by_key, guarding


def test_a_key_is_admitted_with_the_headers_of_its_limit(keyed, made):
    (found,) = ask(keyed, (by_key(made.text), "credit_risk", "predict"))
    assert found.caller.id == made.record.id
    assert dict(found.headers) == {
        b"ratelimit-policy": b'"burst";q=1000;w=1000',
        b"ratelimit": b'"burst";r=999;t=1',
    }


def test_a_key_may_do_what_its_scopes_say(keyed, made):
    wanted = [("credit_risk", "explain"), ("intent", "predict"), ("*", "read"), ("*", "feedback")]
    found = ask(keyed, *((by_key(made.text), *each) for each in wanted))
    assert found == [Refused(403)] * 4


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(keyed, made):
    other = "finml_" + "0" * 12 + made.text[18:]
    wrong = made.text[:-1] + ("0" if made.text[-1] != "0" else "1")
    gone = KeyStore(keyed).create("gone", ["*:*"])
    KeyStore(keyed).revoke(gone.record.id)
    headers = [
        {},
        by_key(""),
        by_key(wrong),
        by_key(other),
        by_key(gone.text),
        by_key("é" * 300),
        {b"authorization": b"Bearer " + made.text.encode()},
        {b"authorization": b"Basic Zm9vOmJhcg=="},
        {b"authorization": b""},
    ]
    found = ask(keyed, *((each, "credit_risk", "predict") for each in headers))
    assert found == [Refused(401, (CHALLENGE,))] * len(headers)


def test_a_token_is_admitted_beside_keys(keyed, made, tmp_path):
    issuer = Issuer()
    (tmp_path / "jwks.json").write_text(json.dumps(issuer.jwks))
    update = {"jwt_issuer": URL, "jwt_audience": AUDIENCE, "jwt_jwks": str(tmp_path / "jwks.json")}
    both = keyed.model_copy(update=update)
    asked = [{b"authorization": scheme + issuer.token()} for scheme in (b"Bearer ", b"bearer  ")]
    found = ask(both, *((each, "credit_risk", "predict") for each in [*asked, by_key(made.text)]))
    assert all(isinstance(each, Admitted) for each in found)
    assert found[0].caller == found[1].caller


def test_nobody_to_let_in_is_an_error_with_a_way_out(keyed):
    with pytest.raises(SettingsError, match="no API keys") as caught:
        Guard(keyed)
    assert "finml keys create" in caught.value.hint
    assert "FINML_AUTH=open" in caught.value.hint


def test_a_revoked_key_is_refused_within_two_seconds_in_every_guard(keyed, made):
    async def story():
        async with guarding(keyed) as one, guarding(keyed) as other:
            for guard in (one, other):
                found = await guard.admit(by_key(made.text), HOME, "credit_risk", "predict")
                assert isinstance(found, Admitted)
            KeyStore(keyed).revoke(made.record.id)
            began = time.monotonic()
            for guard in (one, other):
                while guard._keys.find(made.text.encode()):
                    await asyncio.sleep(0.01)
            return time.monotonic() - began

    assert asyncio.run(asyncio.wait_for(story(), 10)) < 2


def test_threads_end_with_the_guard(keyed, made):
    ask(keyed, (by_key(made.text), "credit_risk", "predict"))
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("finml-")]
