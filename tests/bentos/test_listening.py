"""Addresses that can be listened on, that cannot, and the URLs that they have."""

import socket
from urllib.parse import urlsplit

import pytest
from uvicorn.config import STARTUP_FAILURE

from bentos.listening import check_address, listen, url_of
from bentos.server import HOST, free_port
from bentos.workers import main
from finml.errors import ServeError

# of TEST-NET-3 in RFC 5737, which no machine has
NOBODYS = "203.0.113.9"


def test_a_look_leaves_the_port_free():
    port = free_port()
    check_address(HOST, port)
    listen(HOST, port, shared=False).close()


def test_a_port_that_another_service_shares_is_taken_for_the_next():
    with listen(HOST, 0) as other:
        other.listen()
        port = other.getsockname()[1]
        check_address(HOST, port, shared=True)
        with pytest.raises(ServeError, match=f"cannot listen on {HOST}, port {port}"):
            check_address(HOST, port)


def test_an_address_of_another_machine_is_refused_with_a_hint():
    with pytest.raises(ServeError, match=f"cannot listen on {NOBODYS}") as refused:
        check_address(NOBODYS, free_port())
    assert "--host" in refused.value.hint


def test_a_supervisor_starts_no_worker_that_could_not_listen(capsys):
    assert main(["none:such", "--host", NOBODYS, "--port", str(free_port())]) == STARTUP_FAILURE
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said] == ["error", "try"]


@pytest.mark.parametrize("host", ["::1", HOST, "localhost"])
def test_a_url_names_its_host_and_port(host):
    url = urlsplit(url_of(host, 3055))
    assert (url.hostname, url.port) == (host, 3055)


def test_an_ipv6_address_is_listened_on():
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        listener = listen("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert listener.family == socket.AF_INET6
