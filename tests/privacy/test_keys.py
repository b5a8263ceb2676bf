"""The key: made outside the repository, readable by its owner alone, and refused where it protects nobody."""

import stat
from pathlib import Path

import pytest

from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.keys import DEMONSTRATION_KEY, create_key, load_key
from hims_pipeline.settings import REPOSITORY, Settings


def settings(home: Path, key: Path | None = None, env: str = "dev") -> Settings:
    return Settings(REPOSITORY, home / "data", home / "expectations", home, env=env, key_file=key)


def written(path: Path, content: bytes, mode: int = 0o400) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_new_key_is_closed_random_and_loads(tmp_path):
    made = create_key(tmp_path / "safe" / "key")
    other = create_key(tmp_path / "other")
    assert stat.S_IMODE((tmp_path / "safe" / "key").stat().st_mode) == 0o400
    loaded = load_key(settings(tmp_path, tmp_path / "safe" / "key", "prod"))
    assert (loaded.version, loaded.secret, loaded.demonstration) == (made.version, made.secret, False)
    assert made.version != other.version
    assert made.secret.hex() not in repr(made)


def test_a_key_is_never_overwritten(tmp_path):
    create_key(tmp_path / "key")
    with pytest.raises(HimsError, match="never overwritten"):
        create_key(tmp_path / "key")


def test_no_key_in_the_repository():
    with pytest.raises(HimsError, match="repository"):
        create_key(REPOSITORY / "data" / "key")
    assert not (REPOSITORY / "data" / "key").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o700])
def test_a_key_that_others_can_open_is_refused(tmp_path, mode):
    path = create_key(tmp_path / "key") and tmp_path / "key"
    path.chmod(mode)
    with pytest.raises(HimsError, match="chmod 0400"):
        load_key(settings(tmp_path, path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"short", "32"),
        (b"a" * 64, "regular"),
        (b"password" * 8, "regular"),
        (bytes(range(64)), "regular"),
        (bytes(range(32)).hex().encode(), "regular"),
        (b"", "0 bytes"),
    ],
)
def test_short_and_regular_keys_are_refused(tmp_path, content, words):
    with pytest.raises(HimsError, match=words):
        load_key(settings(tmp_path, written(tmp_path / "key", content)))


def test_a_key_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(HimsError, match="hims key init"):
        load_key(settings(tmp_path, tmp_path / "nothing"))


def test_the_demonstration_key_is_for_demonstrations(tmp_path):
    key = load_key(settings(tmp_path))
    assert key.demonstration
    assert key.version.startswith("demonstration-")
    with pytest.raises(HimsError, match="HIMS_KEY_FILE"):
        load_key(settings(tmp_path, env="prod"))
    copied = written(tmp_path / "key", DEMONSTRATION_KEY.hex().encode())
    with pytest.raises(HimsError, match="demonstration key"):
        load_key(settings(tmp_path, copied, "prod"))


def test_a_key_file_of_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "key"
    with path.open("wb") as file:
        file.truncate(60 << 30)
    path.chmod(0o400)
    with pytest.raises(HimsError, match=r"64,424,509,440 bytes: it is no key"):
        load_key(settings(tmp_path, path))
