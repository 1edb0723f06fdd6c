"""What the service depends on, made to be broken: Redis, PostgreSQL, a small disk."""

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bentos.server import HOST, free_port


def redis_server(port: int) -> subprocess.Popen[str]:
    """A Redis that keeps nothing on disk, and that can be told to be slow."""
    command = ["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(
        [*command, "--enable-debug-command", "local"], stdout=subprocess.PIPE, text=True
    )
    for line in server.stdout or ():
        if "Ready to accept" in line:
            return server
    raise SystemExit("redis-server did not start")


class Slowness:
    """Makes a Redis do nothing for a while, again and again: whoever asks it waits for up to that long."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port, self._seconds = port, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sleep)

    def begin(self) -> None:
        """From now on."""
        self._thread.start()

    def end(self) -> None:
        """No longer."""
        self._over.set()
        self._thread.join()

    def _sleep(self) -> None:
        import redis

        with redis.Redis(HOST, self._port) as client:
            while not self._over.is_set():
                client.execute_command("DEBUG", "SLEEP", str(self._seconds))


class Postgresql:
    """A server of its own with an empty database."""

    def __init__(self, folder: Path) -> None:
        """Make the files of the server in an empty folder; it does not run yet."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        programs = found[-1].parent if found else Path(shutil.which("initdb") or "initdb").parent
        self._folder, self._programs, self._port = folder, programs, free_port()
        # it does not run as root
        self._become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._become:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-U", "finml", "-A", "trust", "-E", "UTF8")

    @property
    def url(self) -> str:
        """Of its database."""
        return f"postgresql://finml@{HOST}:{self._port}/postgres"

    def start(self) -> None:
        """Run it; returns when it answers."""
        options = f"-p {self._port} -c listen_addresses={HOST} -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "-w", "-t", "60", "-o", options, "-l", str(self._folder / "log"), "start")

    def kill(self) -> None:
        """End it at once, whoever is connected."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._become, str(self._programs / program), "-D", str(self._folder / "data")]
        subprocess.run(
            [*command, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL that runs, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="finml-postgresql-", ignore_cleanup_errors=True) as folder:
        server = Postgresql(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


class SmallDisk:
    """A disk of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room on it."""
        descriptor = os.open(self._ballast, os.O_CREAT | os.O_WRONLY)
        try:
            while os.write(descriptor, b"0" * 4096):
                pass
        except OSError:
            os.close(descriptor)

    def relieve(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, size: str = "4m") -> Iterator[SmallDisk]:
    """A disk mounted over a folder, whose files are there again afterwards. Takes root."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
