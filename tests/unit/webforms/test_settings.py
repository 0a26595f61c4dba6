"""Settings from the environment: kept secrets, plain refusals."""

from __future__ import annotations

import pytest

from webforms.heartbeat import AlreadyRunning, FolderLock
from webforms.settings import WrongSetting, from_environment


def test_it_makes_secrets_once_and_keeps_them_private(tmp_path):
    first = from_environment({}, data=tmp_path)
    second = from_environment({}, data=tmp_path)

    assert first.secret_key == second.secret_key
    assert first.secret_key != first.vault_key
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    assert (tmp_path / "vault-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUANLIU_SECRET", "short"),
        ("NUANLIU_HTTPS", "maybe"),
        ("NUANLIU_IDLE_MINUTES", "0"),
        ("NUANLIU_UPLOAD_MB", "many"),
    ],
)
def test_it_names_the_setting_that_is_wrong(tmp_path, name, value):
    with pytest.raises(WrongSetting, match=name):
        from_environment({name: value}, data=tmp_path)


def test_it_refuses_a_second_runner_on_the_same_folder(tmp_path):
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.take()

    with pytest.raises(AlreadyRunning):
        second.take()

    first.give_back()
    second.take()
    second.give_back()


@pytest.mark.parametrize(
    ("url", "folders"),
    [
        ("", ["data"]),
        ("sqlite:///{root}/other/x.db", ["data", "other"]),
        ("sqlite:///{root}/data/nuanliu.db?timeout=3", ["data"]),
        ("sqlite://", ["data"]),
        ("postgresql://u@h/nuanliu", []),
    ],
)
def test_one_process_has_a_sqlite_file_to_itself_wherever_it_lies(tmp_path, url, folders):
    environ = {"NUANLIU_DATABASE": url.format(root=tmp_path)} if url else {}
    settings = from_environment(environ, data=tmp_path / "data")

    assert list(settings.alone_in) == [tmp_path / name for name in folders]
