"""The runner that gives each step a container of its own, on any Docker-compatible socket."""

import contextlib
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

from finml.errors import PipelineError
from finml.ledger.urls import parse_url
from finml.settings import Settings
from pipelines.environment import step_variables

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.types import Mount
    from kfp.local import DockerRunner

PID_MAX = Path("/proc/sys/kernel/pid_max")
LIMITS = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}


def docker_runner(settings: Settings, root: Path) -> tuple[str, "DockerRunner"]:
    """The full name of the image, and kfp's runner, set up so that a step sees what a process would see.

    Containers share this machine's network, the user, FINML_HOME and the ledger, each under the path that it
    has here. They do not get the engine's socket, which is as good as root on this machine: the image of a
    release is built by `finml run release` without `--runner docker`.

    Args:
        settings: handed to every step.
        root: the run's folder.

    Raises:
        PipelineError: no engine answers, it lacks the image, or the ledger's path is relative.
    """
    from kfp.local import DockerRunner

    with contextlib.closing(connect(settings)) as client:
        image = full_image_name(client, settings.image)
    environment = step_variables(settings, root) | {"HOME": "/tmp"}  # noqa: S108  # nosec B108  # the container's
    mounts = [mount(settings.home), *ledger_mounts(settings)]
    return image, DockerRunner(
        environment=environment,
        mounts=mounts,
        network_mode="host",
        ulimits=ulimits(),
        user=f"{os.getuid()}:{os.getgid()}",
    )


def connect(settings: Settings) -> "DockerClient":
    """A client of the engine.

    Raises:
        PipelineError: none answers.
    """
    import docker
    from docker.errors import DockerException

    try:
        client = docker.DockerClient(settings.docker_socket) if settings.docker_socket else docker.from_env()
        client.ping()
    except (DockerException, OSError) as error:
        raise PipelineError(
            f"no container engine answers at {settings.docker_socket or 'the default socket'}",
            hint="start Docker or `podman system service` and name its socket by FINML_DOCKER_SOCKET; "
            "without --runner docker the steps run as processes",
        ) from error
    return client


def full_image_name(client: "DockerClient", image: str) -> str:
    """The name under which the engine lists `image`: kfp pulls what it does not find by exactly that name.

    Raises:
        PipelineError: the engine has no such image.
    """
    from docker.errors import ImageNotFound

    try:
        names: list[str] = client.images.get(image).tags
    except ImageNotFound as error:
        raise PipelineError(
            f"the engine has no image {image}",
            hint="build it (docs/pipelines.md), or name another by --image or FINML_IMAGE",
        ) from error
    return image if image in names or not names else names[0]


def ledger_mounts(settings: Settings) -> list["Mount"]:
    """The ledger's file or folder, where it has one outside of FINML_HOME."""
    ledger = parse_url(settings.ledger)
    if ledger.kind == "postgresql":
        return []
    if ledger.kind != "folder" and not ledger.path.is_absolute():
        raise PipelineError(
            f"a container cannot find {ledger.public}, whose path is relative",
            hint=f"name it with its whole path: {ledger.kind}:////path/to/file",
        )
    # a database's journal lies beside its file
    place = ledger.path.resolve() if ledger.kind == "folder" else ledger.path.resolve().parent
    return [] if place.is_relative_to(settings.home) else [mount(place)]


def mount(path: Path) -> "Mount":
    """A bind mount of `path` at the same path."""
    from docker.types import Mount

    return Mount(target=str(path), source=str(path), type="bind")


def ulimits() -> list[dict[str, int | str]]:
    """This process's own limits: an engine's defaults may exceed them, and then no container starts."""
    limits = {name: resource.getrlimit(number) for name, number in LIMITS.items()}
    if PID_MAX.exists():
        # podman takes no more processes for itself than the kernel has numbers, and can hand on no more
        numbers = int(PID_MAX.read_text())
        limits["nproc"] = tuple(numbers if limit < 0 else min(limit, numbers) for limit in limits["nproc"])
    return [
        {"Name": name, "Soft": soft, "Hard": hard}
        for name, (soft, hard) in limits.items()
        if resource.RLIM_INFINITY not in (soft, hard)
    ]
