"""The demonstration: made at the first start, kept at the second, gone after a reset."""

from __future__ import annotations

import sqlite3

import pytest

from webforms.cli import run, serving
from webforms.heartbeat import FolderLock

pytestmark = pytest.mark.slow


def people(folder) -> int:
    with sqlite3.connect(folder / "nuanliu.db") as database:
        return database.execute("SELECT count(*) FROM account").fetchone()[0]


@pytest.fixture
def start(tmp_path, monkeypatch):
    for name in ("NUANLIU_DATA", "NUANLIU_CHANNELS", serving.CLOCK_VARIABLE):
        monkeypatch.setenv(name, "")
    served = []
    monkeypatch.setattr(serving, "_run", lambda *where: served.append(where))

    def go(*more: str) -> int:
        lock = FolderLock(tmp_path)
        monkeypatch.setattr(serving, "FolderLock", lambda _folder: lock)
        code = run(["demo", "--data", str(tmp_path), "--clock", *more])
        lock.give_back()
        return code

    go.served = served
    return go


def test_it_makes_the_county_once_and_keeps_it(start, tmp_path, capsys):
    assert start() == 0
    first = capsys.readouterr().out
    assert "所有账号的密码" in first
    assert "系统管理员" in first
    assert str(tmp_path) in first
    before = people(tmp_path)
    assert before > 20

    assert start() == 0
    assert capsys.readouterr().out.partition("密码：")[2][:14] == first.partition("密码：")[2][:14]
    assert people(tmp_path) == before
    assert len(start.served) == 2


def test_it_refuses_a_second_start_while_one_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(serving, "_run", lambda *where: None)
    running = FolderLock(tmp_path)
    running.take()

    assert run(["demo", "--data", str(tmp_path)]) == 2
    assert "正被另一个进程使用" in capsys.readouterr().err
    running.give_back()
