"""The address that a service listens on: its socket, its URL, and whether it can be had at all."""

import socket

from finml.errors import ServeError


def listen(host: str, port: int, *, shared: bool = True) -> socket.socket:
    """A socket on a port.

    Args:
        host: a name, an IPv4 or an IPv6 address.
        port: the port.
        shared: whether other processes may listen on it as well, each by such a socket.

    Raises:
        OSError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def check_address(host: str, port: int, *, shared: bool = False) -> None:
    """Look whether a socket could be had, before processes are started that would fail one after the other.

    Raises:
        ServeError: it could not: the address is not one of this machine, or the port is taken or needs
            privileges.
    """
    try:
        listen(host, port, shared=shared).close()
    except OSError as error:
        raise ServeError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            hint="name an address of this machine by --host, and a free port from 1024 on by --port",
        ) from None


def url_of(host: str, port: int) -> str:
    """The URL at which a service on that address is asked."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
