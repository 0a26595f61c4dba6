"""What lies beside a task: unsent forms, remarks, files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from engine.execution import assignment
from engine.execution.command import Commands
from engine.kernel import codec
from engine.model.actor import Actor
from engine.model.errors import InvalidInput, InvalidState, NotAllowed, NotFound
from engine.model.human_task import CommentView, DraftView, TaskStatus
from engine.model.operation import AttachmentRef
from engine.model.states import TASK_TITLES, Who
from engine.services.files import Files
from engine.store import notes
from engine.store.database import Transaction

_comment = notes.TaskComment
_draft = notes.TaskDraft


class CaseNotes:
    """The part of `TaskService` that changes no state of a task."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment
        self._files = Files(commands)

    def save_draft(self, task_id: str, actor: Actor, data: Mapping[str, object]) -> None:
        """Keep his unsent form; nothing else changes."""
        values = {"data": codec.plain(data), "saved_at": self._environment.clock.now()}
        own = {"task_id": task_id, "participant_id": actor.id}
        change = (
            update(_draft)
            .where(_draft.task_id == task_id, _draft.participant_id == actor.id)
            .values(values)
        )
        try:
            with self._environment.database.write() as tx:
                self._readable(tx, task_id, actor)
                if tx.execute(change).rowcount == 0:
                    tx.execute(insert(_draft).values(**own, **values))
        except IntegrityError:
            # His other window was faster with the first draft; the later one counts.
            with self._environment.database.write() as tx:
                tx.execute(change)

    def draft(self, task_id: str, actor: Actor) -> DraftView | None:
        """His unsent form, if there is one."""
        with self._environment.database.read() as tx:
            row = tx.first(notes.DRAFT, {"task_id": task_id, "participant_id": actor.id})
        return None if row is None else DraftView(data=row.data, saved_at=row.saved_at)

    def comment(
        self,
        actor: Actor,
        text: str,
        *,
        task_id: str | None = None,
        instance_id: str | None = None,
    ) -> str:
        """Remark on a task or a case he may see; its id."""
        if not text.strip():
            raise InvalidInput("批注内容必填", {"text": "必填"})
        with self._environment.database.write() as tx:
            row, shard, of = self._files.place(tx, actor, task_id, instance_id)
            comment_id = self._environment.ids.new()
            tx.execute(
                insert(_comment).values(
                    id=comment_id,
                    shard=shard,
                    instance_id=of,
                    task_id=row.id if row is not None else None,
                    author=actor.id,
                    author_name=actor.name,
                    text=text.strip(),
                    at=self._environment.clock.now(),
                )
            )
        return comment_id

    def comments(
        self, actor: Actor, *, task_id: str | None = None, instance_id: str | None = None
    ) -> tuple[CommentView, ...]:
        """Every remark on the case of the task, oldest first."""
        with self._environment.database.read() as tx:
            _, _, of = self._files.place(tx, actor, task_id, instance_id)
            rows = tx.rows(notes.COMMENTS, {"instance_id": of})
        return tuple(
            CommentView(
                id=row.id,
                author=row.author,
                author_name=row.author_name,
                text=row.text,
                at=row.at,
            )
            for row in rows
        )

    def attach(
        self,
        actor: Actor,
        *,
        name: str,
        content: bytes,
        task_id: str | None = None,
        instance_id: str | None = None,
    ) -> AttachmentRef:
        """Keep a file; its type is told from its content. Raises InvalidInput for a wrong one."""
        return self._files.attach(
            actor, name=name, content=content, task_id=task_id, instance_id=instance_id
        )

    def attachments(
        self, actor: Actor, *, task_id: str | None = None, instance_id: str | None = None
    ) -> tuple[AttachmentRef, ...]:
        """Every file of the case of the task."""
        return self._files.of(actor, task_id=task_id, instance_id=instance_id)

    def attachment(self, attachment_id: str, actor: Actor) -> tuple[AttachmentRef, bytes]:
        """A file with its bytes, for somebody who may see its case. Raises NotFound."""
        return self._files.read(attachment_id, actor)

    def _readable(self, tx: Transaction, task_id: str, actor: Actor) -> Any:
        work, row = self._files.task(tx, task_id, actor)
        who = assignment.relations(work, actor, row)
        if not who:
            raise NotFound
        if not who & {Who.OWNER, Who.POTENTIAL_OWNER}:
            raise NotAllowed
        if not TaskStatus(row.status).is_open:
            raise InvalidState(f"待办{TASK_TITLES[TaskStatus(row.status)]}，不能暂存")
        return row
