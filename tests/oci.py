"""Fixtures for tests that build and run container images.

They need podman or Docker, and a Debian with Python 3.11 as base image:

- `FINML_TEST_BASE_IMAGE` names one that the engine has or can pull.
- Otherwise, with a Docker engine, it is the one that the Dockerfiles name.
- Otherwise, as root and with debootstrap, the fixtures make one, with this machine's certificates and package
  index in it, and keep it in podman's storage: the first run takes a minute longer.

Where none of these holds the tests are skipped, with the reason. The test images stay in the engine's storage
under `localhost/finml-test-*`, so that the next run only builds what has changed.
"""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
DOCKERFILE_BASE = "docker.io/library/python:3.11-slim-bookworm"
LOCKS = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "finml-tests"
COMPONENT_SOURCES = ("finml", "components", "pipelines", "feature_repo", "bentos", "loadtests")


@dataclass(frozen=True)
class Engine:
    """What builds and runs images here.

    Attributes:
        command: `podman` or `docker`.
        environment: variables that it needs here.
    """

    command: str
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, timeout_s: float = 900) -> str:
        """Run one of its commands and return what it says; fails the test where it fails."""
        done = subprocess.run(
            [self.command, *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"{self.command} {' '.join(arguments)}: {done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def logs(self, container: str) -> str:
        """What a container has said so far, on both of its streams."""
        done = subprocess.run(
            [self.command, "logs", container],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    def has(self, image: str) -> bool:
        """Whether the image is in its storage."""
        found = subprocess.run(
            [self.command, "image", "inspect", image],
            env=os.environ | self.environment,
            capture_output=True,
            check=False,
        )
        return found.returncode == 0

    def size(self, image: str) -> int:
        """Bytes of an image, all layers."""
        return int(self("image", "inspect", "--format", "{{.Size}}", image))

    def build(self, image: str, dockerfile: Path, context: Path, base_image: str) -> str:
        """Build an image and return its name."""
        arguments = ["--file", str(dockerfile), "--build-arg", f"BASE_IMAGE={base_image}", "--tag", image]
        layers = ["--layers"] if self.command == "podman" else []
        if self.command == "podman" and (folder := package_folder()):
            layers += ["--volume", f"{folder}:{folder}:ro"]
        self("build", *layers, *arguments, str(context), timeout_s=1800)
        return image

    def run(self, image: str, *arguments: str, options: Sequence[str] = ()) -> str:
        """Run a command in a new container on the host's network, and return what it says."""
        return self("run", "--rm", "--network", "host", *options, image, *arguments)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The container engine, set up so that it also works where containers are nested."""
    if shutil.which("docker") and docker_answers():
        return Engine("docker")
    if shutil.which("podman") is None or shutil.which("buildah") is None:
        pytest.skip("neither a Docker engine nor podman and buildah here")
    if os.geteuid() != 0:
        return Engine("podman")
    folder = tmp_path_factory.mktemp("podman")
    found = Engine(
        "podman", {"CONTAINERS_CONF": str(folder / "containers.conf"), "BUILDAH_ISOLATION": "chroot"}
    )
    (folder / "containers.conf").write_text(containers_conf(), encoding="utf-8")
    return found


def docker_answers() -> bool:
    """Whether an engine stands behind the Docker client."""
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def containers_conf() -> str:
    """podman's settings for a root without every right: the limits it has, the host's network, runc."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # podman asks for the kernel's limit of process ids, never for more
    processes = min(
        resource.getrlimit(resource.RLIMIT_NPROC)[1], int(Path("/proc/sys/kernel/pid_max").read_text())
    )
    limits = [f"nofile={files}:{files}", f"nproc={processes}:{processes}"]
    engine_lines = ['cgroup_manager = "cgroupfs"', 'events_logger = "file"']
    if shutil.which("runc"):
        engine_lines.append('runtime = "runc"')
    return "\n".join(
        [
            "[containers]",
            'netns = "host"',
            f"default_ulimits = {json.dumps(limits)}",
            "[engine]",
            *engine_lines,
            "",
        ]
    )


@pytest.fixture(scope="session")
def base_image(engine: Engine) -> str:
    """A Debian with Python 3.11 that images are built from, see above."""
    named = os.environ.get("FINML_TEST_BASE_IMAGE")
    if named:
        return named
    if engine.command == "docker":
        return DOCKERFILE_BASE
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip("no base image: set FINML_TEST_BASE_IMAGE, or run as root with debootstrap")
    recipe = hashlib.sha256()
    for part in (*PACKAGES, SUITE, pip_conf()):
        recipe.update(part.encode())
    recipe.update(CERTIFICATES.read_bytes())
    image = f"localhost/finml-test-base:{recipe.hexdigest()[:12]}"
    with lock("base"):
        if not engine.has(image):
            bootstrap(engine, image)
    return image


def bootstrap(engine: Engine, image: str) -> None:
    """Make the base image from Debian's packages."""
    with tempfile.TemporaryDirectory(prefix="finml-base-", dir="/var/tmp") as temporary:
        tree = Path(temporary, "tree")
        command = [
            "debootstrap",
            "--variant=minbase",
            f"--include={','.join(PACKAGES)}",
            SUITE,
            str(tree),
            MIRROR,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            pytest.skip(f"no base image: debootstrap says {done.stdout[-500:]}")
        for kept_by_apt in (
            "usr/share/doc",
            "usr/share/locale",
            "usr/share/man",
            "var/cache/apt",
            "var/lib/apt",
        ):
            shutil.rmtree(tree / kept_by_apt, ignore_errors=True)
        shutil.copyfile(CERTIFICATES, tree / CERTIFICATES.relative_to("/"))
        (tree / "etc/pip.conf").write_text(pip_conf(), encoding="utf-8")
        archive = Path(temporary, "tree.tar")
        subprocess.run(["tar", "-C", str(tree), "-cf", str(archive), "."], check=True)
        engine("import", str(archive), image)


def pip_conf() -> str:
    """pip's settings inside the base image: this machine's certificates and, where it has one, its index."""
    lines = ["[global]", f"cert = {CERTIFICATES}"]
    if folder := package_folder():
        lines.append(f"find-links = {folder}")
    for key in ("PIP_INDEX_URL", "PIP_TRUSTED_HOST"):
        if key in os.environ:
            lines.append(f"{key.removeprefix('PIP_').lower().replace('_', '-')} = {os.environ[key]}")
    return "\n".join(lines) + "\n"


def package_folder() -> str:
    """Folder on this machine in which pip looks for packages first, or nothing."""
    named = os.environ.get("PIP_FIND_LINKS", "")
    return named if Path(named).is_dir() else ""


@pytest.fixture(scope="session")
def component_image(engine: Engine, base_image: str) -> str:
    """The image in which pipeline steps run, built from `deploy/Dockerfile` unless just this one is there."""
    contents = hashlib.sha256(base_image.encode())
    sources = (path for name in COMPONENT_SOURCES for path in (ROOT / name).rglob("*"))
    files = [
        ROOT / "deploy/Dockerfile",
        ROOT / "pyproject.toml",
        ROOT / "requirements.lock",
        *sorted(sources),
    ]
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            contents.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    image = f"localhost/finml-test-component:{contents.hexdigest()[:12]}"
    with lock("component"):
        if not engine.has(image):
            engine.build(image, ROOT / "deploy/Dockerfile", ROOT, base_image)
            forget_older(engine, image)
    return image


def forget_older(engine: Engine, image: str) -> None:
    """Remove earlier images of the same name: each is a gigabyte."""
    name, _, kept = image.rpartition(":")
    for tag in engine("images", "--format", "{{.Tag}}", name).splitlines():
        if tag != kept:
            engine("rmi", "--force", f"{name}:{tag}")


@pytest.fixture(scope="session")
def docker_socket(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Docker-compatible socket: the Docker engine's, or one of podman's that ends with the tests."""
    if engine.command == "docker":
        yield os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        return
    # the path of a socket is limited to 107 characters, more than which pytest's folders can have
    with tempfile.TemporaryDirectory(prefix="finml-podman-") as folder:
        path = Path(folder, "podman.sock")
        service = subprocess.Popen(
            ["podman", "system", "service", "--time=0", f"unix://{path}"],
            env=os.environ | engine.environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 20
            while not path.exists():
                assert service.poll() is None, "podman's socket service ended"
                assert time.monotonic() < deadline, "podman's socket did not appear"
                time.sleep(0.05)
            yield f"unix://{path}"
        finally:
            service.terminate()
            service.wait(20)


def lock(name: str) -> FileLock:
    """Held while an image is built, so that parallel workers build it once."""
    LOCKS.mkdir(parents=True, exist_ok=True)
    return FileLock(LOCKS / f"{name}.lock")
