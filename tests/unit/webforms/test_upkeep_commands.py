"""`upgrade`, `backup`, `restore`, `doctor` as they are typed: exit codes and sentences."""

from __future__ import annotations

import sqlite3

import pytest

from webforms.cli import run


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installation with a database, its folder."""
    folder = tmp_path / "here"
    monkeypatch.setenv("NUANLIU_DATA", str(folder))
    assert run(["init"]) == 0
    return folder


def _note(folder, name):
    with sqlite3.connect(folder / "nuanliu.db") as connection:
        connection.execute(
            "INSERT INTO schema_version VALUES (?, ?, '2027-01-01T00:00:00.000000+00:00')",
            (int(name[:4]), name),
        )
    connection.close()


def test_status_lists_every_step(installed, capsys):
    assert run(["upgrade", "--status"]) == 0
    assert "0001_pre_first_release\t预升级" in capsys.readouterr().out
    assert run(["upgrade", "--pre"]) == 0


def test_a_backup_comes_back_with_its_key_only(installed, tmp_path, monkeypatch, capsys):
    file = tmp_path / "b.nlb"
    assert run(["backup", str(file)]) == 0
    assert run(["backup", str(file)]) == 1
    there = tmp_path / "there"
    monkeypatch.setenv("NUANLIU_DATA", str(there))

    assert run(["restore", str(file)]) == 1
    assert "密钥不符" in capsys.readouterr().err
    (there / "vault-key").write_bytes((installed / "vault-key").read_bytes())
    assert run(["restore", str(file)]) == 0
    assert run(["verify"]) == 0
    assert run(["restore", str(file)]) == 1
    assert "空库" in capsys.readouterr().err
    secret = (installed / "vault-key").read_bytes()
    assert secret not in file.read_bytes()


def test_doctor_says_that_a_newer_release_cleared_the_database_up(installed, capsys):
    _note(installed, "9999_post_tidy")

    assert run(["doctor"]) == 1
    assert "9999_post_tidy" in capsys.readouterr().out
    assert run(["upgrade", "--status"]) == 1
    assert run(["backup", str(installed / "b.nlb")]) == 1


def test_doctor_names_attachments_that_are_lost(installed, capsys):
    with sqlite3.connect(installed / "nuanliu.db") as connection:
        connection.execute(
            "INSERT INTO attachment (id, shard, name, media_type, size, sha256, uploaded_at)"
            " VALUES ('a', '349898', '现场.png', 'image/png', 1, ?,"
            " '2026-01-05T01:00:00.000000+00:00')",
            ("0" * 64,),
        )
    connection.close()

    assert run(["doctor"]) == 1
    assert "1 个附件" in capsys.readouterr().out
    assert run(["backup", str(installed / "b.nlb")]) == 1
    assert "丢失" in capsys.readouterr().err
