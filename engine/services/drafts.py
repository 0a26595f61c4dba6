"""Package files that somebody works on in the studio, and who has worked on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update

from engine.execution.environment import Environment
from engine.model.actor import Actor
from engine.model.errors import Stale
from engine.store.confirmations import DraftEditor
from engine.store.definitions import PackageDraft

_editor: Any = DraftEditor.__table__


class Drafts:
    """The part of `RepositoryService` that keeps what is not published yet."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def save_draft(
        self, key: str, path: str, content: bytes, actor: Actor, *, revision: int | None = None
    ) -> int:
        """Keep a package file that is not deployed yet; its new revision.

        Raises Stale when `revision` is given and somebody saved since.
        """
        where = (PackageDraft.key == key, PackageDraft.path == path)
        with self._environment.database.write() as tx:
            known = tx.execute(select(PackageDraft.revision).where(*where)).scalar()
            if revision is not None and (known or 0) != revision:
                raise Stale
            following = (known or 0) + 1
            values = {
                "content": content,
                "saved_at": self._environment.clock.now(),
                "saved_by": actor.id,
                "revision": following,
            }
            if known is None:
                tx.execute(insert(PackageDraft).values(key=key, path=path, **values))
            else:
                tx.execute(update(PackageDraft).where(*where).values(values))
            mine = {"key": key, "participant_id": actor.id}
            if not tx.execute(select(_editor.c.key).filter_by(**mine)).first():
                tx.execute(insert(_editor).values(**mine))
        return following

    def load_draft(self, key: str, path: str) -> bytes | None:
        """A package file as somebody left it; None without a draft."""
        with self._environment.database.read() as tx:
            found = tx.execute(
                select(PackageDraft.content).where(
                    PackageDraft.key == key, PackageDraft.path == path
                )
            ).scalar()
        return None if found is None else bytes(found)

    def drafts(self, key: str) -> dict[str, int]:
        """Paths of the drafts of a package with their revisions."""
        with self._environment.database.read() as tx:
            rows = tx.execute(
                select(PackageDraft.path, PackageDraft.revision)
                .where(PackageDraft.key == key)
                .order_by(PackageDraft.path)
            ).all()
        return {row.path: row.revision for row in rows}

    def discard_drafts(self, key: str) -> None:
        """Forget every draft of a package."""
        with self._environment.database.write() as tx:
            tx.execute(delete(PackageDraft).where(PackageDraft.key == key))
            tx.execute(delete(_editor).where(_editor.c.key == key))
