import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr

from finml.access.key_store import KeyStore, secret_file
from finml.access.keys import PATTERN
from finml.errors import AccessError, SettingsError, UsageError

SCOPES = ["credit_risk:predict"]


def test_a_key_is_recognisable_and_only_its_hash_is_stored(settings):
    made = KeyStore(settings).create("a shop", SCOPES)
    assert PATTERN.fullmatch(made.text)
    assert len(made.text.rpartition("_")[2]) * 4 == 256
    stored = settings.keys.read_text()
    assert made.text.rpartition("_")[2] not in stored
    assert made.record.hash in stored
    assert made.text not in repr(made)


def test_only_the_owner_may_read_the_files(settings):
    KeyStore(settings).create("a shop", SCOPES)
    for path in (settings.keys, secret_file(settings)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_made_at_once_are_all_kept(settings):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: KeyStore(settings).create(f"shop {number}", SCOPES), range(16)))
    assert {record.id for record in KeyStore(settings).records()} == {key.record.id for key in made}
    assert sorted(path.name for path in settings.keys.parent.iterdir()) == [
        ".keys.json.lock",
        "keys.json",
        "keys.secret",
    ]


def test_the_secret_of_the_settings_goes_before_one_below_home(settings):
    given = settings.model_copy(update={"keys_secret": SecretStr("0123456789abcdef-of-a-vault")})
    KeyStore(given).create("a shop", SCOPES)
    assert not secret_file(settings).exists()
    with pytest.raises(AccessError, match="secret that the keys were hashed with is gone"):
        KeyStore(settings).create("another", SCOPES)
    other = settings.model_copy(update={"keys_secret": SecretStr("fedcba9876543210-of-another")})
    with pytest.raises(SettingsError, match="another secret"):
        KeyStore(other).create("another", SCOPES)


def test_a_secret_that_can_be_guessed_is_refused(settings):
    short = settings.model_copy(update={"keys_secret": SecretStr("hunter2")})
    with pytest.raises(SettingsError, match="fewer than 16") as caught:
        KeyStore(short).create("a shop", SCOPES)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"rate_per_s": 0.0}, {"rate_per_s": float("nan")}, {"rate_burst": 0}, {"scopes": []}],
)
def test_a_key_that_cannot_be_meant_is_refused(settings, wrong):
    with pytest.raises(UsageError):
        KeyStore(settings).create(**({"name": "a shop", "scopes": SCOPES} | wrong))


def test_revoking_twice_keeps_the_first_moment(settings):
    store = KeyStore(settings)
    key_id = store.create("a shop", SCOPES).record.id
    assert store.revoke(key_id) == store.revoke(key_id)


def test_a_revoked_key_is_not_rotated(settings):
    store = KeyStore(settings)
    key_id = store.create("a shop", SCOPES).record.id
    store.revoke(key_id)
    with pytest.raises(AccessError, match="revoked"):
        store.rotate(key_id, timedelta(hours=1))


@pytest.mark.parametrize("change", ["revoke", "rotate"])
def test_an_unknown_key_is_said(settings, change):
    KeyStore(settings).create("a shop", SCOPES)
    with pytest.raises(AccessError, match="no key abc"):
        getattr(KeyStore(settings), change)("abc")


def test_a_broken_file_is_not_written_over(settings):
    store = KeyStore(settings)
    store.create("a shop", SCOPES)
    document = json.loads(settings.keys.read_text())
    document["keys"][0]["scopes"] = ["all of it"]
    settings.keys.write_text(broken := json.dumps(document))
    with pytest.raises(AccessError, match=r"keys.0.scopes"):
        store.create("another", SCOPES)
    assert settings.keys.read_text() == broken
