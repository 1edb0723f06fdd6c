"""From a Bento to an OCI image, by the builder that this machine has."""

import os
import shutil
import tempfile
from pathlib import Path

import structlog
from pydantic import BaseModel

from bentos.processes import bentoml_environment, last_words, python, run
from finml.errors import PackageError
from finml.settings import Settings

log = structlog.get_logger(__name__)

# in the order they are tried, each with a command that succeeds where it can build: a Docker client without
# an engine cannot
BUILDERS = {
    "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "podman": ("podman", "info"),
    "buildah": ("buildah", "info"),
}


class ContainerizedBento(BaseModel):
    """What became of a Bento.

    Attributes:
        bento: the Bento's tag.
        image: the image's name, or `None` where there was no builder; the Bento is there all the same.
        builder: `docker`, `podman` or `buildah`.
        words: the same for people.
    """

    bento: str
    image: str | None
    builder: str | None
    words: str


def containerize(
    settings: Settings,
    bento_tag: str,
    *,
    backend: str | None = None,
    base_image: str | None = None,
) -> ContainerizedBento:
    """Build the image of a Bento, named after its tag.

    Args:
        settings: names the Bento store and the Docker socket.
        bento_tag: as in `finance:kj3…`.
        backend: one of `BUILDERS`; `None` takes the first that works here.
        base_image: a Debian with Python 3.11; `None` for the one that `bentos/Dockerfile.j2` names.

    Raises:
        PackageError: there is no such Bento, the builder that was asked for does not work here, or the build
            failed; the message ends with what the builder said.
    """
    builder = backend or find_builder(settings)
    if builder is None:
        words = (
            f"no container builder works here (tried {', '.join(BUILDERS)}); the Bento {bento_tag} is built"
        )
        log.warning("no_builder", bento=bento_tag)
        return ContainerizedBento(bento=bento_tag, image=None, builder=None, words=words)
    if builder not in BUILDERS or not works(builder, settings):
        raise PackageError(
            f"{builder} cannot build images here", hint=f"install and start one of {', '.join(BUILDERS)}"
        )
    command = python(
        "-m", "bentoml", "containerize", bento_tag, "--backend", builder, "--image-tag", bento_tag
    )
    if base_image:
        command += ["--opt", f"build-arg=BASE_IMAGE={base_image}"]
    # BentoML 1.4.39 builds in a temporary folder and then refuses a Dockerfile outside its working directory
    with tempfile.TemporaryDirectory(prefix="finml-image-") as temporary:
        environment = bentoml_environment(settings.bento_home) | docker_environment(settings)
        done = run(command, cwd=Path(temporary), env=environment | {"TMPDIR": temporary})
    if done.returncode:
        raise PackageError(
            f"{builder} cannot build the image of {bento_tag}: {last_words(done)}",
            hint="the Bento is there; if its base image cannot be pulled here, see docs/containers.md",
        )
    log.info("image_built", image=bento_tag, builder=builder)
    return ContainerizedBento(
        bento=bento_tag, image=bento_tag, builder=builder, words=f"{builder} built the image {bento_tag}"
    )


def find_builder(settings: Settings) -> str | None:
    """The first of `BUILDERS` that works here."""
    return next((builder for builder in BUILDERS if works(builder, settings)), None)


def works(builder: str, settings: Settings) -> bool:
    """Whether a builder is installed and, for Docker, its engine answers."""
    if shutil.which(builder) is None:
        return False
    return run(BUILDERS[builder], env=os.environ | docker_environment(settings)).returncode == 0


def docker_environment(settings: Settings) -> dict[str, str]:
    """Where the Docker client finds its engine."""
    return {"DOCKER_HOST": settings.docker_socket} if settings.docker_socket else {}
