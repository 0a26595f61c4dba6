"""Four eyes: who asked for a new version, or for a jump, does not put it into force alone.

One system administrator asks; another one, who has had no hand in it, confirms; only then does it
happen, in the transaction that notes his name.  Whoever edited a draft of the process has had a
hand in it.  An installation with one administrator may switch this off.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, false, insert, or_, select, true, update

from engine.execution import jumping
from engine.execution.command import Commands
from engine.execution.jumping import JumpForbidden
from engine.execution.work import Work
from engine.kernel import codec
from engine.model import region as regions
from engine.model.actor import ADMINISTRATOR, SYSTEM, Actor, is_administrator
from engine.model.confirmation import (
    ConfirmationKind,
    ConfirmationPage,
    ConfirmationStatus,
    ConfirmationView,
)
from engine.model.errors import (
    InvalidInput,
    InvalidState,
    NotAllowed,
    NotFound,
    SeparationOfDuties,
    Stale,
)
from engine.model.package import Package
from engine.model.process import DefinitionView
from engine.model.states import InstanceVerb, require_instance_verb
from engine.services.cases import CaseLookup
from engine.services.jumps import administers
from engine.services.repository import RepositoryService
from engine.store import confirmations
from engine.store.database import Transaction

LONGEST = 500
OWN_ORDER = "自己提出或编辑过的，须由另一名系统管理员复核"
_row: Any = confirmations.Confirmation.__table__
_editor: Any = confirmations.DraftEditor.__table__


class ConfirmationService(CaseLookup):
    """`engine.confirmations`."""

    def __init__(self, commands: Commands, repository: RepositoryService) -> None:
        super().__init__(commands)
        self._repository = repository

    @property
    def are_needed(self) -> bool:
        """Whether one administrator alone can neither publish nor jump."""
        return self._environment.four_eyes

    # --- asking ------------------------------------------------------------------------------

    def ask_publish(self, package: Package, actor: Actor, reason: str = "") -> str:
        """Order that the files of this package become the next version; the order's id.

        The gate is asked now and again when it is confirmed. Raises DeploymentRefused with every
        finding, NotAllowed, InvalidInput for more than changed files or none, InvalidState while
        another version of the process waits.
        """
        _require_administrator(actor)
        base = self._repository.latest(package.key)
        known = self._repository.package(base.id)
        if replace(package, files=known.files) != known:
            raise InvalidInput("只能提交改动过的文件；其余的请用命令行发布")
        files = {
            path: content
            for path, content in package.files.items()
            if known.files.get(path) != content
        }
        if not files and package.files.keys() == known.files.keys():
            raise InvalidInput("与现行版本没有不同")
        self._repository.passed(package)
        order = {
            "base": base.id,
            "files": {path: base64.b64encode(one).decode() for path, one in files.items()},
            "gone": sorted(known.files.keys() - package.files.keys()),
        }

        def act(tx: Transaction) -> tuple[str, list[str]]:
            editors = tx.execute(
                select(_editor.c.participant_id).where(_editor.c.key == package.key)
            ).scalars()
            return self._ask(
                tx, actor, ConfirmationKind.PUBLISH, (package.key, package.title, ""), order,
                reason, involved=set(editors),
            ), []  # fmt: skip

        return self._commands.apart(act)

    def ask_jump(
        self,
        instance_id: str,
        element: int,
        target: str,
        actor: Actor,
        reason: str,
        version: int | None = None,
    ) -> str:
        """Order a jump as `runtime.jump` would do it; nothing moves yet. The order's id.

        Raises what `runtime.jump` raises, InvalidState while another jump of the case waits.
        """
        if not reason.strip():
            raise InvalidInput("跳转必须说明原因", {"reason": "必填"})

        def act(work: Work) -> str:
            _require_of_case(work, actor)
            if version is not None and version != work.instance.loaded_revision:
                raise Stale
            require_instance_verb(InstanceVerb.JUMP, work.instance.status)
            if element not in work.state.elements:
                raise Stale
            foreseen = jumping.foresee(work, element, target)
            if foreseen.refused:
                raise JumpForbidden("；".join(foreseen.refused))
            at = work.state.elements[element].node
            order = {
                "element": element,
                "from": at,
                "from_name": jumping.name_of(work, at),
                "to": target,
                "to_name": jumping.name_of(work, target),
            }
            about = (instance_id, work.instance.title, work.instance.region)
            return self._ask(work.tx, actor, ConfirmationKind.JUMP, about, order, reason)

        return self._commands.on_instance(instance_id, actor, act)

    # --- looking -----------------------------------------------------------------------------

    def listed(
        self,
        actor: Actor,
        *,
        waiting: bool = True,
        subject: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ConfirmationPage:
        """Orders he administers the subjects of, newest first; waiting ones, or decided ones."""
        query = select(_row).where(_seen_by(actor), _standing(waiting=waiting))
        if subject is not None:
            query = query.where(_row.c.subject == subject)
        if cursor is not None:
            query = query.where(_row.c.id < cursor)
        with self._environment.database.read() as tx:
            rows = tx.execute(query.order_by(_row.c.id.desc()).limit(limit + 1)).all()
        views = tuple(_view(row, actor) for row in rows[:limit])
        return ConfirmationPage(rows=views, next_cursor=views[-1].id if len(rows) > limit else None)

    def to_decide(self, actor: Actor) -> int:
        """How many orders wait for him of all people."""
        if not actor.has_role(ADMINISTRATOR):
            return 0
        query = select(_row.c.involved).where(_seen_by(actor), _standing(waiting=True))
        with self._environment.database.read() as tx:
            rows = tx.execute(query).all()
        return sum(1 for row in rows if not _obstacle(row, actor))

    def agreed_to(self, versions: Collection[str], actor: Actor) -> dict[str, str]:
        """Who confirmed these versions, by their ids; of those nobody had to, nothing."""
        query = select(_row.c.result, _row.c.decided_name).where(
            _row.c.result.in_(list(versions)), _seen_by(actor)
        )
        with self._environment.database.read() as tx:
            return {row.result: row.decided_name for row in tx.execute(query)}

    def order(self, order_id: str, actor: Actor) -> ConfirmationView:
        """One of them. Raises NotFound."""
        with self._environment.database.read() as tx:
            return _view(self._of(tx, order_id, actor), actor)

    def package(self, order_id: str, actor: Actor) -> Package:
        """The package as it would be published. Raises NotFound."""
        found = self.order(order_id, actor)
        if found.kind is not ConfirmationKind.PUBLISH:
            raise NotFound
        return self._ordered(found.order)

    # --- deciding ----------------------------------------------------------------------------

    def confirm(self, order_id: str, actor: Actor, *, version: int | None = None) -> str:
        """Do what was ordered; the id of the new version, or of the case.

        `version`: the case as the page of a jump showed it. Raises NotFound, SeparationOfDuties,
        InvalidState for what was decided meanwhile, Stale where the process or the case is no
        longer what the order was made for, DeploymentRefused and JumpForbidden as ever.
        """
        found = self.order(order_id, actor)
        if found.kind is ConfirmationKind.PUBLISH:
            return self._publish(found, actor).id
        return self._jump(found, actor, version)

    def refuse(self, order_id: str, actor: Actor, reason: str) -> None:
        """It does not happen. Raises NotFound, InvalidInput, InvalidState."""
        if not reason.strip():
            raise InvalidInput("不同意必须说明原因", {"note": "必填"})
        self._close(order_id, actor, ConfirmationStatus.REFUSED, reason)

    def withdraw(self, order_id: str, actor: Actor) -> None:
        """Who asked thinks better of it. Raises NotFound, NotAllowed, InvalidState."""
        if self.order(order_id, actor).asked_by != actor.id:
            raise NotAllowed("只有提出的人可以撤回")
        self._close(order_id, actor, ConfirmationStatus.WITHDRAWN, "")

    # --- private -----------------------------------------------------------------------------

    def _publish(self, found: ConfirmationView, actor: Actor) -> DefinitionView:
        package = self._ordered(found.order)
        program = self._repository.passed(package)

        def act(tx: Transaction) -> tuple[str, list[str]]:
            self._decide(tx, found.id, actor, ConfirmationStatus.CONFIRMED)
            newest = self._repository.newest(tx, package.key)
            if newest is None or newest.id != found.order["base"]:
                raise Stale("提交之后已发布了别的版本，请撤回后重新提交")
            made = self._repository.put(tx, package, program, Actor(
                id=found.asked_by, name=found.asked_name
            ))  # fmt: skip
            tx.execute(update(_row).where(_row.c.id == found.id).values(result=made))
            return made, []

        made = self._commands.apart(act)
        self._repository.discard_drafts(package.key)
        return self._repository.definition(made)

    def _jump(self, found: ConfirmationView, actor: Actor, version: int | None) -> str:
        order = found.order
        element, target = int(str(order["element"])), str(order["to"])

        def act(work: Work) -> str:
            _require_of_case(work, actor)
            self._decide(work.tx, found.id, actor, ConfirmationStatus.CONFIRMED)
            if version is not None and version != work.instance.loaded_revision:
                raise Stale
            require_instance_verb(InstanceVerb.JUMP, work.instance.status)
            held = work.state.elements.get(element)
            if held is None or held.node != order["from"]:
                raise Stale("提出之后事项已经离开原来的环节，请撤回后重新提出")
            told = f"{found.reason}（{found.asked_name}提出，{actor.name}复核）"
            jumping.carry_out(work, element, target, told)
            return work.instance.id

        return self._commands.on_instance(found.subject, actor, act)

    def _ordered(self, order: Mapping[str, Any]) -> Package:
        base = self._repository.package(order["base"])
        changed = {path: base64.b64decode(one) for path, one in order["files"].items()}
        kept = {path: one for path, one in base.files.items() if path not in order["gone"]}
        return replace(base, files={**kept, **changed})

    def _ask(
        self,
        tx: Transaction,
        actor: Actor,
        kind: ConfirmationKind,
        about: tuple[str, str, str],
        order: Mapping[str, object],
        reason: str,
        *,
        involved: set[str] | None = None,
    ) -> str:
        subject, title, region = about
        waits = select(_row.c.asked_name).where(
            _row.c.subject == subject, _row.c.status == ConfirmationStatus.WAITING
        )
        already = tx.execute(waits).first()
        if already is not None:
            raise InvalidState(f"已有{already.asked_name}提出的一份在等待复核")
        order_id: str = self._environment.ids.new()
        tx.execute(
            insert(_row).values(
                id=order_id,
                kind=kind,
                subject=subject,
                title=title,
                region=region,
                reason=reason.strip()[:LONGEST],
                what=codec.encode(order),
                involved=sorted({actor.id, *(involved or ())}),
                asked_by=actor.id,
                asked_name=actor.name,
                asked_at=self._environment.clock.now(),
                status=ConfirmationStatus.WAITING,
                decided_name="",
                note="",
            )
        )
        return order_id

    def _close(self, order_id: str, actor: Actor, status: ConfirmationStatus, note: str) -> None:
        def act(tx: Transaction) -> tuple[None, list[str]]:
            self._decide(tx, order_id, actor, status, note)
            return None, []

        self._commands.apart(act)

    def _decide(
        self,
        tx: Transaction,
        order_id: str,
        actor: Actor,
        status: ConfirmationStatus,
        note: str = "",
    ) -> None:
        row = self._of(tx, order_id, actor)
        if status is ConfirmationStatus.CONFIRMED and _obstacle(row, actor):
            raise SeparationOfDuties(OWN_ORDER)
        hit = tx.execute(
            update(_row)
            .where(_row.c.id == order_id, _row.c.status == ConfirmationStatus.WAITING)
            .values(
                status=status,
                decided_by=actor.id,
                decided_name=actor.name,
                decided_at=self._environment.clock.now(),
                note=note.strip()[:LONGEST],
            )
        )
        if hit.rowcount != 1:
            raise InvalidState("这一份已经处理过了")

    @staticmethod
    def _of(tx: Transaction, order_id: str, actor: Actor) -> Any:
        row = tx.execute(select(_row).where(_row.c.id == order_id, _seen_by(actor))).first()
        if row is None:
            raise NotFound("没有这份复核")
        return row


def _require_administrator(actor: Actor) -> None:
    if not is_administrator(actor):
        raise NotAllowed("只有系统管理员可以发布流程")


def _require_of_case(work: Work, actor: Actor) -> None:
    if not administers(actor, work.instance.region):
        raise NotFound("没有这个事项")


def _seen_by(actor: Actor) -> Any:
    """New versions for every administrator, jumps for those above the case."""
    if actor is SYSTEM:
        return true()
    if not is_administrator(actor):
        return false()
    below = [
        _row.c.region.startswith(regions.prefix(seat.unit), autoescape=True)
        for seat in actor.seats
        if seat.role == ADMINISTRATOR
    ]
    is_jump = _row.c.kind == ConfirmationKind.JUMP
    return or_(_row.c.kind == ConfirmationKind.PUBLISH, and_(is_jump, or_(*below)))


def _standing(*, waiting: bool) -> Any:
    is_waiting: Any = _row.c.status == ConfirmationStatus.WAITING
    return is_waiting if waiting else ~is_waiting


def _obstacle(row: Any, actor: Actor) -> str:
    return OWN_ORDER if actor.id in row.involved else ""


def _view(row: Any, actor: Actor) -> ConfirmationView:
    return ConfirmationView(
        id=row.id,
        kind=ConfirmationKind(row.kind),
        subject=row.subject,
        title=row.title,
        region=row.region,
        reason=row.reason,
        asked_by=row.asked_by,
        asked_name=row.asked_name,
        asked_at=row.asked_at,
        status=ConfirmationStatus(row.status),
        decided_name=row.decided_name,
        decided_at=row.decided_at,
        note=row.note,
        result=row.result or "",
        order=codec.decode(bytes(row.what)),
        obstacle=_obstacle(row, actor),
    )
