import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from finml.errors import IntegrityError
from finml.registry.manifest import MANIFEST, check_manifest, hash_files, write_manifest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "model"
    (folder / "more").mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    (folder / "more" / "bands.json").write_text("[1]")
    return folder


def test_what_was_written_passes(folder):
    digest = write_manifest(folder)
    assert check_manifest(folder) == digest
    assert check_manifest(folder, digest) == digest
    assert list(json.loads((folder / MANIFEST).read_text())["files"]) == ["model.json", "more/bands.json"]


def test_writing_again_changes_nothing(folder):
    first = write_manifest(folder)
    (folder / f".{MANIFEST}.new").write_text("left by a crash")
    assert write_manifest(folder) == first
    assert sorted(hash_files(folder)) == ["model.json", "more/bands.json"]


def test_every_difference_is_named(folder):
    write_manifest(folder)
    (folder / "model.json").write_text("{} ")
    (folder / "more" / "bands.json").unlink()
    (folder / "extra.bin").write_bytes(b"1")
    with pytest.raises(IntegrityError) as caught:
        check_manifest(folder)
    for words in ("model.json was changed", "more/bands.json is missing", "extra.bin was added"):
        assert words in str(caught.value)


def test_a_manifest_that_fits_the_files_but_not_the_record_is_refused(folder):
    digest = write_manifest(folder)
    (folder / "model.json").write_text("another model")
    write_manifest(folder)
    with pytest.raises(IntegrityError, match=digest):
        check_manifest(folder, digest)


@pytest.mark.parametrize("content", ["", "[]", '{"files": 3}', "{}"])
def test_a_broken_manifest_is_refused(folder, content):
    (folder / MANIFEST).write_text(content)
    with pytest.raises(IntegrityError, match="not a manifest"):
        check_manifest(folder)


def test_a_folder_without_manifest_or_files_is_refused(folder, tmp_path):
    with pytest.raises(IntegrityError, match="has no manifest"):
        check_manifest(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(IntegrityError, match="holds no files"):
        write_manifest(tmp_path / "empty")


def test_a_link_is_refused(folder):
    (folder / "link").symlink_to("/etc/hostname")
    with pytest.raises(IntegrityError, match="link is not a plain file"):
        write_manifest(folder)


@given(position=st.integers(0, 63), bit=st.integers(0, 7))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_bit_shows(folder, position, bit):
    content = bytearray(range(64))
    (folder / "model.json").write_bytes(content)
    write_manifest(folder)
    content[position] ^= 1 << bit
    (folder / "model.json").write_bytes(content)
    with pytest.raises(IntegrityError, match="was changed"):
        check_manifest(folder)
