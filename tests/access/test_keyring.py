import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from finml.access.key_store import KeyStore, secret_file
from finml.access.keyring import Keyring
from finml.errors import AccessError

SCOPES = ["credit_risk:predict"]


class Clock:
    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ring(settings, clock):
    return Keyring(settings, clock)


def test_a_key_is_found_with_its_scopes_and_limits(settings, ring):
    made = KeyStore(settings).create("a shop", SCOPES, rate_per_s=3, daily_quota=10)
    ring.load()
    caller = ring.find(made.text.encode())
    assert caller.id == made.record.id
    assert caller.scopes.granted == {"credit_risk:predict"}
    limits = caller.limits
    assert (limits.rate_per_s, limits.burst, limits.daily_quota) == (3, settings.rate_burst, 10)


def test_any_other_text_is_no_key(settings, ring):
    text = KeyStore(settings).create("a shop", SCOPES).text.encode()
    ring.load()

    @given(
        st.binary(max_size=200)
        | st.integers(0, len(text) - 1).map(lambda at: text[:at] + b"x" + text[at + 1 :])
        | st.binary(min_size=1, max_size=9).map(lambda more: text + more)
        | st.integers(0, len(text) - 1).map(lambda end: text[:end])
    )
    def check(other):
        assert ring.find(other) is None

    check()


def test_an_expired_key_is_refused(settings, ring, clock):
    text = KeyStore(settings).create("a shop", SCOPES, expires_in=timedelta(days=1)).text.encode()
    ring.load()
    assert ring.find(text)
    clock.ahead = 86_400
    assert ring.find(text) is None


def test_a_revoked_key_is_refused_even_where_clocks_differ(settings, ring, clock):
    made = KeyStore(settings).create("a shop", SCOPES)
    KeyStore(settings).revoke(made.record.id)
    clock.ahead = -3600
    ring.refresh()
    assert len(ring) == 1
    assert ring.find(made.text.encode()) is None


def test_a_rotated_key_is_taken_for_its_grace(settings, ring, clock):
    store = KeyStore(settings)
    old = store.create("a shop", SCOPES)
    new = store.rotate(old.record.id, timedelta(minutes=5))
    ring.load()
    assert ring.find(old.text.encode()) == ring.find(new.text.encode()) != None  # noqa: E711
    clock.ahead = 300
    assert ring.find(old.text.encode()) is None
    assert ring.find(new.text.encode())


def test_without_grace_the_old_key_ends_at_once(settings, ring):
    store = KeyStore(settings)
    old = store.create("a shop", SCOPES)
    new = store.rotate(old.record.id)
    ring.load()
    assert ring.find(old.text.encode()) is None
    assert ring.find(new.text.encode())


@pytest.mark.parametrize("harm", ["broken", "gone", "a folder"])
def test_a_file_that_breaks_leaves_the_last_good_one_and_is_logged_once(settings, ring, harm):
    text = KeyStore(settings).create("a shop", SCOPES).text.encode()
    ring.refresh()
    good = settings.keys.read_bytes()
    settings.keys.unlink()
    if harm == "broken":
        settings.keys.write_bytes(good[:-20])
    elif harm == "a folder":
        settings.keys.mkdir()
    with capture_logs() as logs:
        ring.refresh()
        ring.refresh()
    assert [entry["event"] for entry in logs] == ["keys_not_read"]
    assert ring.find(text)

    if harm == "a folder":
        settings.keys.rmdir()
    other = good.replace(b"a shop", b"a bank")
    settings.keys.write_bytes(other)
    KeyStore(settings).revoke(ring.find(text).id)
    ring.refresh()
    assert ring.find(text) is None


def test_a_secret_that_is_gone_is_said(settings, ring):
    text = KeyStore(settings).create("a shop", SCOPES).text.encode()
    ring.refresh()
    secret_file(settings).unlink()
    settings.keys.write_bytes(settings.keys.read_bytes() + b"\n")
    with capture_logs() as logs:
        ring.refresh()
        ring.refresh()
    assert [(entry["event"], "secret" in entry["message"]) for entry in logs] == [("keys_not_read", True)]
    assert ring.find(text)
    with pytest.raises(AccessError, match="secret that the keys were hashed with is gone"):
        Keyring(settings).load()


def test_a_file_that_is_broken_from_the_beginning_is_an_error(settings, ring):
    settings.keys.parent.mkdir(parents=True)
    settings.keys.write_text("{}")
    with pytest.raises(AccessError, match="secret_mark"):
        ring.load()
