"""From a Bento to an OCI image, by the builder that this machine has."""

import os
import re
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
# how each says whether it holds an image, and fetches one
HELD = {
    "docker": ("docker", "image", "inspect"),
    "podman": ("podman", "image", "exists"),
    "buildah": ("buildah", "inspect", "--type", "image"),
}
TEMPLATE = Path(__file__).with_name("Dockerfile.j2")


class ContainerizedBento(BaseModel):
    """What became of a Bento.

    Attributes:
        bento: the Bento's tag.
        image: the image's name, or `None` where none can be built here; the Bento is there all the same.
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
    """Build the image of a Bento, named after its tag, where one can be built.

    Without a builder, or where the declared base image cannot be had, the Bento stays as it is and the answer
    says so. What was asked for by name is an error instead.

    Args:
        settings: names the Bento store and the Docker socket.
        bento_tag: as in `finance:kj3…`.
        backend: one of `BUILDERS`; `None` takes the first that works here.
        base_image: a Debian with Python 3.11; `None` for the settings', or the one of `bentos/Dockerfile.j2`.

    Raises:
        PackageError: there is no such Bento, the builder or base image that was asked for cannot be had, or
            the build failed; the message ends with what the builder said.
    """
    named_base = base_image or settings.base_image
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
    base = named_base or declared_base()
    refusal = cannot_get(base, builder, settings)
    if refusal and named_base:
        raise PackageError(
            f"{builder} cannot get the base image {base}: {refusal}", hint="see docs/containers.md"
        )
    if refusal:
        words = f"{builder} cannot get the base image {base}; the Bento {bento_tag} is built, no image is"
        log.warning("no_base_image", bento=bento_tag, base=base, builder=builder, words=refusal)
        return ContainerizedBento(bento=bento_tag, image=None, builder=builder, words=words)
    command = python(
        "-m", "bentoml", "containerize", bento_tag, "--backend", builder, "--image-tag", bento_tag
    )
    command += ["--opt", f"build-arg=BASE_IMAGE={base}"]
    # BentoML 1.4.39 builds in a temporary folder and then refuses a Dockerfile outside its working directory
    with tempfile.TemporaryDirectory(prefix="finml-image-") as temporary:
        environment = bentoml_environment(settings.bento_home) | docker_environment(settings)
        done = run(command, cwd=Path(temporary), env=environment | {"TMPDIR": temporary})
    if done.returncode:
        raise PackageError(
            f"{builder} cannot build the image of {bento_tag}: {last_words(done)}",
            hint="the Bento is there; see docs/containers.md",
        )
    log.info("image_built", image=bento_tag, builder=builder)
    return ContainerizedBento(
        bento=bento_tag, image=bento_tag, builder=builder, words=f"{builder} built the image {bento_tag}"
    )


def declared_base() -> str:
    """The base image that the Dockerfile of Bentos names."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)", TEMPLATE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise PackageError(f"{TEMPLATE} names no base image")
    return found.group(1)


def cannot_get(image: str, builder: str, settings: Settings) -> str:
    """Why a builder neither holds nor can pull an image, in its own words; empty where it has it."""
    environment = os.environ | docker_environment(settings)
    if run((*HELD[builder], image), env=environment).returncode == 0:
        return ""
    pulled = run((builder, "pull", image), env=environment)
    return last_words(pulled) if pulled.returncode else ""


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
