import asyncio
import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from finml.access import signing_keys as keys_module
from finml.access.tokens import Tokens
from finml.errors import AccessError, SettingsError
from tests.access.issuer import AUDIENCE, URL, Issuer, published


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture
def jwks(tmp_path, issuer):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(issuer.jwks))
    return path


@pytest.fixture
def given(settings, jwks):
    return settings.model_copy(update={"jwt_issuer": URL, "jwt_audience": AUDIENCE, "jwt_jwks": str(jwks)})


def found(settings, token):
    async def find():
        return await Tokens.of(settings).find(token)

    return asyncio.run(find())


def test_a_token_gives_its_scopes_and_not_its_subject(given, issuer):
    caller = found(given, issuer.token())
    assert caller.scopes.granted == {"credit_risk:predict"}
    assert caller.id.startswith("jwt:")
    assert "jane" not in caller.id
    assert caller.limits.daily_quota == given.daily_quota


def test_a_subject_has_one_id_wherever_the_secret_is_the_same(given, issuer, tmp_path):
    def caller(home: str, **more):
        return found(given.model_copy(update={"home": tmp_path / home} | more), issuer.token()).id

    assert caller("one") == caller("one") != caller("other")
    secret = {"audit_secret": SecretStr("s" * 32)}
    assert caller("one", **secret) == caller("other", **secret)


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": 1_000_000_000},
        {"nbf": 4_000_000_000},
        {"iss": "https://other.test/"},
        {"aud": "another"},
        {"aud": []},
        {"exp": "soon"},
        {"without": ("exp",)},
        {"without": ("iss",)},
        {"without": ("aud",)},
        {"without": ("sub",)},
        {"headers": {"kid": "unknown"}},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_or_missing_claim_is_refused(given, issuer, wrong):
    assert found(given, issuer.token()) is not None
    assert found(given, issuer.token(**wrong)) is None


def test_a_token_without_signature_is_refused(given, issuer):
    token = jwt.encode(issuer.claims(), None, "none", headers={"kid": "first"}).encode()
    assert found(given, token) is None


def test_a_public_key_is_not_taken_as_a_shared_secret(given, issuer):
    def part(document):
        return base64.urlsafe_b64encode(document).rstrip(b"=")

    # signed by hand, as PyJWT refuses to sign by such a secret
    import hmac

    public = issuer.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = json.dumps({"alg": "HS256", "typ": "JWT", "kid": "first"}).encode()
    signed = part(header) + b"." + part(json.dumps(issuer.claims()).encode())
    token = signed + b"." + part(hmac.digest(public, signed, "sha256"))
    assert found(given, token) is None


def test_another_algorithm_of_the_same_key_is_refused(given, issuer):
    token = jwt.encode(issuer.claims(), issuer.keys["first"], "RS512", headers={"kid": "first"}).encode()
    assert found(given, token) is None


def test_a_key_of_another_issuer_is_refused(given):
    assert found(given, Issuer().token()) is None


@pytest.mark.parametrize("token", [b"", b".", b"a.b.c", b"\xff\xfe", b"e30.e30.e30", b"x" * 20_000])
def test_what_is_no_token_is_refused(given, token):
    assert found(given, token) is None


def test_a_token_is_verified_once_and_forgotten_when_it_expires(given, issuer, monkeypatch):
    clock = [time.time()]
    tokens = Tokens(given, keys_module.signing_keys(given.jwt_jwks), lambda: clock[0])
    token = issuer.token()
    verified = []
    monkeypatch.setattr(
        tokens, "_verify", lambda text, verify=tokens._verify: verified.append(text) or verify(text)
    )

    async def thrice():
        for _ in range(3):
            assert await tokens.find(token)

    asyncio.run(thrice())
    assert len(verified) == 1
    clock[0] += 601

    async def again():
        await tokens.find(token)

    asyncio.run(again())
    assert len(verified) == 2


def test_remembered_tokens_are_bounded(given, issuer, monkeypatch):
    monkeypatch.setattr("finml.access.tokens.MOST_REMEMBERED", 3)
    tokens = Tokens.of(given)

    async def many():
        for number in range(6):
            assert await tokens.find(issuer.token(sub=f"caller {number}"))

    asyncio.run(many())
    assert len(tokens._remembered) == 3


def test_rotated_keys_are_fetched_and_withdrawn_ones_end_their_tokens(given, monkeypatch):
    rotating, clock = Issuer(), [0.0]
    with published(rotating) as url:
        client = jwt.PyJWKClient(url, cache_jwk_set=False)
        keys = keys_module.SigningKeys(client.get_jwk_set, lambda: clock[0])
        tokens = Tokens(given, keys)

        async def story():
            old = rotating.token()
            assert await tokens.find(old)
            rotating.rotate("second")
            new = rotating.token()
            assert await tokens.find(new) is None  # asked a moment ago: no second time
            assert rotating.fetched == 1
            clock[0] += keys_module.LEAST_PAUSE_S
            assert await tokens.find(new)
            assert await tokens.find(old) is None
            for _ in range(50):
                assert await tokens.find(rotating.token(headers={"kid": "made up"})) is None
            assert rotating.fetched == 2
            clock[0] += keys_module.LIFE_S
            rotating.away = True
            assert await tokens.find(rotating.token())
            await keys._reading_now
            assert rotating.fetched == 3
            assert await tokens.find(rotating.token(sub="another"))  # the issuer is away, its keys stay

        asyncio.run(story())


@pytest.mark.parametrize("text", ["[1]", '{"keys": [1]}', "{", ""])
def test_a_file_of_keys_that_breaks_later_leaves_the_last_good_ones(given, jwks, issuer, text):
    async def story():
        tokens = Tokens.of(given)
        jwks.write_text(text)
        assert await tokens.find(issuer.token(headers={"kid": "made up"})) is None
        assert await tokens.find(issuer.token())

    asyncio.run(story())


def test_tokens_that_come_together_fetch_once(given):
    rotating = Issuer()
    with published(rotating) as url:
        tokens = Tokens.of(given.model_copy(update={"jwt_jwks": url}))

        async def together():
            return await asyncio.gather(*(tokens.find(rotating.token(sub=f"{n}")) for n in range(10)))

        assert all(asyncio.run(together()))
    assert rotating.fetched == 1


def test_an_issuer_that_never_answered_is_said_apart_from_a_wrong_token(given):
    away = Issuer()
    away.away = True
    with published(away) as url, pytest.raises(AccessError, match="cannot be read"):
        found(given.model_copy(update={"jwt_jwks": url}), away.token())


@pytest.mark.parametrize(
    "half",
    [
        {"jwt_issuer": ""},
        {"jwt_audience": ""},
        {"jwt_jwks": ""},
        {"jwt_jwks": "/no/such/file"},
        {"jwt_jwks": "http://issuer.test/jwks.json"},
    ],
    ids=str,
)
def test_half_a_setting_is_an_error(given, half):
    with pytest.raises(SettingsError):
        Tokens.of(given.model_copy(update=half))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": []}', '{"keys": 3}', "nonsense"])
def test_a_file_that_is_no_jwks_is_an_error(given, jwks, text):
    jwks.write_text(text)
    with pytest.raises(SettingsError, match="FINML_JWT_JWKS"):
        Tokens.of(given)
