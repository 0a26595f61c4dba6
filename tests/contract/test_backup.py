"""A backup of either database comes back into either, wholly or not at all."""

from __future__ import annotations

import hmac
import io
import json
import tarfile
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from engine import SYSTEM, Base, ProcessEngine, errors
from engine.model.clock import TravellingClock
from engine.store import archive
from webforms import app  # noqa: F401  # an installation has the tables of every area

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c63680000008200818b9f4f8b0000000049454e44ae426082"
)


def sign(content, key=b"the right key"):
    return hmac.new(key, content, sha256).hexdigest()


@pytest.fixture
def at_work(office):
    """Cases in flight: claimed, resting at a timer, finished, with a picture and a note."""
    step = office.step(
        tag="intermediateCatchEvent",
        id="rest",
        children=(
            '<bpmn:timerEventDefinition><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">P2D'
            "</bpmn:timeDuration></bpmn:timerEventDefinition>"
        ),
    )
    office.deploy(
        office.user_task("register", deadline="5wd", ladder="default"),
        step,
        office.user_task("approve", role="approver"),
    )
    for number in range(6):
        office.start(number=number, note='换行\n"引号"\\')
    for _ in range(3):
        office.complete("wang", "register")
    wang = office.actor("wang")
    mine = office.task("wang", "register")
    office.engine.tasks.claim(mine.id, wang, version=mine.version)
    office.engine.tasks.attach(wang, name="现场.pdf", content=b"%PDF-1.4\n%EOF", task_id=mine.id)
    office.engine.tasks.save_draft(mine.id, wang, {"note": "草稿"})
    office.engine.tasks.comment(wang, "先放一放", task_id=mine.id)
    return office


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def elsewhere(request, tmp_path):
    """An empty installation on each kind of database."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    server = None
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'nuanliu.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        name = f"elsewhere_{tmp_path.name[-20:]}_{threading.get_native_id()}".lower()
        url = server.create(name)
    clock = TravellingClock(datetime(2026, 1, 5, 1, tzinfo=UTC))
    engine = ProcessEngine(url, clock=clock, files=folder / "files")
    engine.travelling = clock
    yield engine
    engine.close()
    if server is not None:
        server.drop(name)


def rows(engine):
    """Every row of every table as Python values."""
    with engine.database.engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        return {
            table.name: [
                tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                ).all()
            ]
            for table in Base.metadata.sorted_tables
            if table.name in there
        }


def tables_with_rows(engine):
    return sorted(name for name, found in rows(engine).items() if found)


def test_everything_is_equal_elsewhere(at_work, elsewhere, tmp_path):
    report = at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)
    back = elsewhere.upkeep.restore(tmp_path / "b.tar", sign=sign)

    ours, theirs = rows(at_work.engine), rows(elsewhere)
    assert ours.keys() == theirs.keys()
    for table, expected in ours.items():
        assert theirs[table] == expected, table
    assert (report.rows, report.files, report.missing) == (back.rows, back.files, back.missing)
    assert report.files == 1
    assert elsewhere.history.verify() == []


def test_the_restored_office_goes_on_and_timers_fire_once(at_work, elsewhere, tmp_path):
    at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)
    elsewhere.upkeep.restore(tmp_path / "b.tar", sign=sign)
    clock = elsewhere.travelling
    clock.set(at_work.clock.now())
    wang, li = elsewhere.identity.actor("wang"), elsewhere.identity.actor("li")

    def page(engine, who):
        return [
            (row.id, row.activity_id, row.due_at)
            for row in engine.worklist.page(engine.identity.actor(who), limit=100).rows
        ]

    assert page(elsewhere, "wang") == page(at_work.engine, "wang")
    (one,) = [
        row for row in page(elsewhere, "wang") if elsewhere.tasks.attachments(wang, task_id=row[0])
    ]
    (attached,) = elsewhere.tasks.attachments(wang, task_id=one[0])
    assert elsewhere.tasks.attachment(attached.id, wang)[1] == b"%PDF-1.4\n%EOF"

    clock.set(clock.now() + timedelta(days=2, minutes=1))
    while elsewhere.management.run_due():
        pass
    approvals = [row for row in page(elsewhere, "li") if row[1] == "approve"]
    assert len(approvals) == 3
    for each, _, _ in approvals:
        version = elsewhere.worklist.task(each, li).version
        elsewhere.tasks.complete(each, li, {}, version=version)
    assert elsewhere.history.verify() == []
    assert not elsewhere.management.incidents(SYSTEM)


def test_it_is_of_one_instant_while_others_write(at_work, elsewhere, tmp_path):
    """Whatever was acknowledged during the backup is in it wholly or not at all."""
    stop = threading.Event()
    started = threading.Event()

    def work():
        while not stop.is_set():
            at_work.start(number=9)
            started.set()

    clerk = threading.Thread(target=work)
    clerk.start()
    started.wait(10)
    try:
        at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)
    finally:
        stop.set()
        clerk.join()

    elsewhere.upkeep.restore(tmp_path / "b.tar", sign=sign)

    with elsewhere.database.engine.connect() as connection:
        odd = connection.scalar(
            text(
                "SELECT count(*) FROM process_instance i WHERE i.ended_at IS NULL AND NOT EXISTS"
                " (SELECT 1 FROM human_task t WHERE t.instance_id = i.id)"
            )
        )
    assert odd == 0
    assert elsewhere.history.verify() == []


def test_a_full_database_is_not_touched(at_work, open_office, tmp_path, request):
    at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)
    before = rows(at_work.engine)

    with pytest.raises(errors.InvalidState, match="空库"):
        at_work.engine.upkeep.restore(tmp_path / "b.tar", sign=sign)

    assert rows(at_work.engine) == before


def test_another_key_is_refused(at_work, elsewhere, tmp_path):
    at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)

    with pytest.raises(archive.ForeignBackup, match="密钥"):
        elsewhere.upkeep.restore(tmp_path / "b.tar", sign=lambda content: sign(content, b"other"))

    assert tables_with_rows(elsewhere) == []


def test_it_does_not_overwrite_a_backup(at_work, tmp_path):
    (tmp_path / "b.tar").write_bytes(b"yesterday")

    with pytest.raises(errors.AlreadyExists):
        at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)

    assert (tmp_path / "b.tar").read_bytes() == b"yesterday"


def _rewritten(path, change):
    """The backup with one member changed, dropped (None) or as it was."""
    target = path.with_name("changed.tar")
    with tarfile.open(path) as old, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            content = change(member.name, old.extractfile(member).read())
            if content is not None:
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
    return target


def _flip(wanted):
    def change(name, content):
        if not name.startswith(wanted):
            return content
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]

    return change


def _forged(name, content):
    """Somebody without the key changes a fact and mends the digest in the manifest."""
    if name != archive.MANIFEST:
        return content
    manifest = json.loads(content)
    manifest["missing"] = []
    manifest["files"] += 1
    return json.dumps(manifest).encode()


DAMAGE = {
    "cut off": lambda name, content: None if name == archive.MANIFEST else content,
    "no signature": lambda name, content: None if name == archive.SIGNATURE else content,
    "no header": lambda name, content: None if name == archive.HEADER else content,
    "a table missing": lambda name, content: (
        None if name.startswith("tables/human_task/") else content
    ),
    "a chunk flipped": _flip("tables/history_fact/"),
    "an attachment flipped": _flip("files/"),
    "an attachment missing": lambda name, content: None if name.startswith("files/") else content,
    "a forged manifest": _forged,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_brings_nothing_back(at_work, elsewhere, tmp_path, damage):
    at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)
    changed = _rewritten(tmp_path / "b.tar", DAMAGE[damage])

    with pytest.raises(archive.InvalidBackup):
        elsewhere.upkeep.restore(changed, sign=sign)

    assert tables_with_rows(elsewhere) == []
    elsewhere.upkeep.restore(tmp_path / "b.tar", sign=sign)
    assert elsewhere.history.verify() == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_was_cut_off_brings_nothing_back(at_work, elsewhere, tmp_path, share):
    path = tmp_path / "b.tar"
    at_work.engine.upkeep.backup(path, sign=sign)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    with pytest.raises(archive.InvalidBackup):
        elsewhere.upkeep.restore(path, sign=sign)

    assert tables_with_rows(elsewhere) == []


def test_a_changed_history_is_known_at_the_restore(at_work, elsewhere, tmp_path):
    with at_work.engine.database.engine.begin() as connection:
        connection.execute(text("UPDATE history_fact SET actor_name = '别人'"))
    at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)

    with pytest.raises(archive.InvalidBackup, match="哈希链"):
        elsewhere.upkeep.restore(tmp_path / "b.tar", sign=sign)

    assert tables_with_rows(elsewhere) == []


def test_an_attachment_that_is_lost_is_told_and_hinders_nothing(at_work, elsewhere, tmp_path):
    (lost,) = [one for one in (tmp_path / "files").rglob("*") if one.is_file()]
    lost.unlink()

    report = at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)
    back = elsewhere.upkeep.restore(tmp_path / "b.tar", sign=sign)

    assert report.missing == back.missing == (lost.name,)


def test_no_key_and_no_temporary_file_are_left(at_work, tmp_path):
    at_work.engine.upkeep.backup(tmp_path / "b.tar", sign=sign)

    assert not list(Path(tmp_path).glob(".*.part"))
    assert b"the right key" not in (tmp_path / "b.tar").read_bytes()
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0
