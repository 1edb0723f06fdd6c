"""What happens where no builder, or not the one that was asked for, works."""

import stat

import pytest

from bentos.images import containerize, find_builder
from finml.errors import PackageError
from finml.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(stat.S_IRWXU)

    return add


def test_without_a_builder_the_bento_stays(settings, programs):
    done = containerize(settings, "finance:abc")
    assert (done.image, done.builder) == (None, None)
    assert "no container builder works here" in done.words
    assert "finance:abc" in done.words


def test_a_docker_client_without_an_engine_is_no_builder(settings, programs):
    programs("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    programs("buildah", "exit 0")
    assert find_builder(settings) == "buildah"


def test_the_docker_client_is_told_of_the_socket(settings, programs):
    programs("docker", 'test "$DOCKER_HOST" = unix:///run/other.sock')
    assert find_builder(settings) is None
    elsewhere = settings.model_copy(update={"docker_socket": "unix:///run/other.sock"})
    assert find_builder(elsewhere) == "docker"


@pytest.mark.parametrize("backend", ["podman", "kaniko"])
def test_a_builder_that_was_asked_for_must_work(settings, programs, backend):
    with pytest.raises(PackageError, match=f"{backend} cannot build images here"):
        containerize(settings, "finance:abc", backend=backend)


@pytest.mark.slow
def test_a_bento_that_does_not_exist(settings, programs):
    programs("buildah", "exit 0")
    with pytest.raises(PackageError, match="finance:abc"):
        containerize(settings, "finance:abc", backend="buildah")


OFFLINE = 'case "$1" in info) exit 0;; *) echo "registry: no route to host" >&2; exit 125;; esac'


def test_without_the_declared_base_image_the_bento_stays(settings, programs):
    programs("podman", OFFLINE)
    done = containerize(settings, "finance:abc")
    assert (done.image, done.builder) == (None, "podman")
    assert "python:3.11" in done.words


def test_a_base_image_that_was_asked_for_must_be_there(settings, programs):
    programs("podman", OFFLINE)
    with pytest.raises(PackageError, match=r"bank/base.*no route to host"):
        containerize(settings, "finance:abc", base_image="bank/base:1")
    with pytest.raises(PackageError, match="bank/base"):
        containerize(settings.model_copy(update={"base_image": "bank/base:1"}), "finance:abc")
