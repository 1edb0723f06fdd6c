"""Real servers for tests: PostgreSQL and Redis, each on a free port of the loopback, gone with the session.

Each worker of a parallel run starts its own, so workers share nothing.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

PASSWORD = "n0t-for-logs"  # noqa: S105 - of a server that lives as long as the tests


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgresql_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if program := shutil.which("initdb"):
        return Path(program).parent
    pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")


def _as_server_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: give `folder` to another user and say how to become that user."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if shutil.which("runuser"):
            os.chown(folder, user.pw_uid, user.pw_gid)
            return ["runuser", "-u", name, "--"]
    pytest.skip("PostgreSQL cannot run as root, and there is no user postgres to become")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a real PostgreSQL server with an empty database and a password."""
    programs = _postgresql_programs()
    folder = Path(tempfile.mkdtemp(prefix="finml-postgresql-"))
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    become = _as_server_user(folder)
    data, port = folder / "data", free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*become, str(programs / program), "-D", str(data), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    run("initdb", "-U", "finml", "-A", "scram-sha-256", "--pwfile", str(folder / "password"), "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    # pg_ctl returns once the server answers
    run("pg_ctl", "-w", "-t", "60", "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql://finml:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """URL of an empty database that no other test uses."""
    import psycopg

    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_url.rpartition("/")[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of a real, empty Redis server that keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tempfile.gettempdir()) as server:
        lines = iter(server.stdout)
        if not any("Ready to accept connections" in line for line in lines):
            pytest.fail(f"redis-server ended with {server.wait()} before it was ready")
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(timeout=30)
