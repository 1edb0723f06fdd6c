"""A key for a service that is started for a while."""

from finml.access.key_store import KeyStore
from finml.access.temporary import SCOPES, temporary_key
from finml.settings import Settings


def test_a_service_that_is_started_here_takes_a_key_for_as_long_as_it_runs(tmp_path):
    settings = Settings(home=tmp_path, auth="required")
    with temporary_key(settings, "test") as key:
        (record,) = KeyStore(settings).records()
        assert record.id in key
        assert set(record.scopes) == set(SCOPES)
        assert record.expires
        assert not record.revoked
    assert KeyStore(settings).records()[0].revoked


def test_a_service_that_is_open_takes_none(tmp_path):
    settings = Settings(home=tmp_path, auth="open")
    with temporary_key(settings, "test") as key:
        assert key == ""
    assert list(KeyStore(settings).records()) == []
