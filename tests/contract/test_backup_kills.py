"""kill -9 in the middle of a backup or of a restore leaves nothing half done."""

from __future__ import annotations

import hmac
import os
import signal
from hashlib import sha256

import pytest
from sqlalchemy import inspect, text

from engine import ProcessEngine
from engine.store import archive

CASES = 8


def sign(content):
    return hmac.new(b"key", content, sha256).hexdigest()


def killed_at(moment, act):
    """Run `act(tell)` in a process of its own that kills itself at the n-th report; whether it did."""
    child = os.fork()
    if child == 0:
        seen = []

        def tell(_what):
            seen.append(1)
            if len(seen) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            act(tell)
        except BaseException:  # noqa: BLE001  # a child of the test must never run the tests
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.fixture
def at_work(office, monkeypatch):
    # Small chunks: more moments to die at.
    monkeypatch.setattr(archive, "CHUNK_BYTES", 2000)
    office.deploy(office.user_task("register", deadline="5wd"), office.user_task("check"))
    for number in range(CASES):
        office.start(number=number)
    office.complete("wang", "register")
    wang = office.actor("wang")
    task = office.task("wang", "check")
    office.engine.tasks.claim(task.id, wang, version=task.version)
    office.engine.tasks.attach(wang, name="a.pdf", content=b"%PDF-1.4\n%EOF", task_id=task.id)
    return office


def moments(act):
    """How many reports a whole run makes."""
    seen = []
    act(seen.append)
    return len(seen)


@pytest.fixture
def own(store_url, tmp_path):
    """What another process does on the same installation."""

    def run(act):
        engine = ProcessEngine(store_url, files=tmp_path / "files")
        try:
            return act(engine)
        finally:
            engine.close()

    return run


def test_a_backup_that_was_killed_is_not_there(at_work, own, tmp_path):
    target = tmp_path / "b.tar"

    def act(tell):
        own(lambda engine: engine.upkeep.backup(target, sign=sign, tell=tell))

    total = moments(act)
    target.unlink()
    assert total > 10
    for moment in range(1, total + 1, 3):
        assert killed_at(moment, act)
        assert not target.exists(), moment
    act(lambda _what: None)

    assert target.exists()
    assert not list(tmp_path.glob(".*.part"))


def test_a_restore_that_was_killed_leaves_an_empty_database(
    at_work, own, tmp_path, store_url, request
):
    source = tmp_path / "b.tar"
    at_work.engine.upkeep.backup(source, sign=sign)
    there = tmp_path / "there"
    there.mkdir()
    if store_url.startswith("sqlite"):
        url = f"sqlite:///{there / 'n.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        url = server.create(f"killed_{os.getpid()}")

    def act(tell):
        engine = ProcessEngine(url, files=there / "files")
        engine.upkeep.restore(source, sign=sign, tell=tell)
        engine.close()

    for moment in (1, 4, 8, 11):
        assert killed_at(moment, act)
        assert _rows(url) == 0, moment
    engine = ProcessEngine(url, files=there / "files")
    engine.upkeep.restore(source, sign=sign)

    assert _rows(url) == CASES
    assert engine.history.verify() == []
    assert not (there / ".files.restoring").exists()
    assert len([one for one in (there / "files").rglob("*") if one.is_file()]) == 1
    engine.close()
    if not store_url.startswith("sqlite"):
        server.drop(f"killed_{os.getpid()}")


def _rows(url):
    engine = ProcessEngine(url)
    with engine.database.engine.connect() as connection:
        there = inspect(connection).has_table("process_instance")
        found = connection.scalar(text("SELECT count(*) FROM process_instance")) if there else 0
    engine.close()
    return found
