"""The look at the settings before a server is started."""

import json

import pytest
from pydantic import SecretStr

from bentos.guard import check_access
from finml.errors import AuditError, SettingsError
from finml.settings import Settings
from tests.access.issuer import AUDIENCE, URL, Issuer


@pytest.fixture
def settings(tmp_path) -> Settings:
    """A service that takes bearer tokens alone."""
    (tmp_path / "jwks.json").write_text(json.dumps(Issuer().jwks))
    return Settings(
        _env_file=None,
        home=tmp_path / "home",
        auth="required",
        jwt_issuer=URL,
        jwt_audience=AUDIENCE,
        jwt_jwks=str(tmp_path / "jwks.json"),
    )


def test_a_look_leaves_nothing_behind(settings):
    check_access(settings)
    assert not settings.home.exists()


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"jwt_issuer": "", "jwt_audience": "", "jwt_jwks": ""}, "nobody may call"),
        ({"jwt_issuer": ""}, "need an issuer"),
        ({"jwt_audience": ""}, "need an audience"),
        ({"jwt_jwks": "/nowhere/jwks.json"}, "JWKS"),
    ],
)
def test_what_would_let_nobody_in_is_said_before_the_start(settings, update, words):
    with pytest.raises(SettingsError, match=words):
        check_access(settings.model_copy(update=update))


def test_a_secret_that_ids_cannot_be_made_with_is_said_before_the_start(settings):
    with pytest.raises(SettingsError, match="FINML_AUDIT_SECRET has fewer than 32"):
        check_access(settings.model_copy(update={"audit_secret": SecretStr("short")}))


def test_a_secret_that_was_emptied_is_said_before_the_start(settings):
    secret = settings.home / "audit" / "secret"
    secret.parent.mkdir(parents=True)
    secret.touch()
    with pytest.raises(AuditError, match="audit/secret has fewer than 32"):
        check_access(settings)
    secret.write_bytes(b"s" * 32)
    check_access(settings)
