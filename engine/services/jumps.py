"""Jumps: a system administrator puts a token of a case elsewhere, with a reason.

He sees where the case stands, not what it says.  The rules of the packages hold: whoever would be
led past something that the law asks for is refused, whatever the reason.
"""

from __future__ import annotations

from engine.execution import jumping
from engine.execution.jumping import JumpForbidden
from engine.execution.work import Work
from engine.model import region as regions
from engine.model.actor import ADMINISTRATOR, SYSTEM, Actor
from engine.model.errors import InvalidInput, NotFound, Stale
from engine.model.jump import JumpDesk, JumpPreview
from engine.model.states import InstanceVerb, require_instance_verb
from engine.services.cases import CaseLookup

__all__ = ["JumpForbidden", "Jumps", "administers"]


class Jumps(CaseLookup):
    """The part of `RuntimeService` that moves tokens by hand."""

    def may_jump(self, instance_id: str, actor: Actor) -> bool:
        """Whether he administers the unit of this case, and it is in a state to be moved."""
        try:
            with self._environment.database.read() as tx:
                work = self._files.instance(tx, instance_id, actor)
        except NotFound:
            return False
        return administers(actor, work.instance.region) and work.instance.ended_at is None

    def jump_desk(self, instance_id: str, actor: Actor) -> JumpDesk:
        """Where a case stands and where its tokens may be put. Raises NotFound."""
        with self._environment.database.read() as tx:
            work = self._jumped(self._files.instance(tx, instance_id, actor), actor)
            return JumpDesk(
                instance_id=instance_id,
                definition_id=work.instance.definition_id,
                title=work.instance.title,
                process_title=work.deployed.title,
                region=work.instance.region,
                status=work.instance.status,
                version=work.instance.loaded_revision,
                tokens=jumping.tokens(work),
                targets=jumping.targets(work),
            )

    def plan_jump(self, instance_id: str, element: int, target: str, actor: Actor) -> JumpPreview:
        """What `jump` would do now, or why it is refused; nothing changes. Raises NotFound."""
        with self._environment.database.read() as tx:
            work = self._jumped(self._files.instance(tx, instance_id, actor), actor)
            foreseen = jumping.foresee(work, element, target)
            return JumpPreview(
                is_possible=not foreseen.refused,
                version=work.instance.loaded_revision,
                cancels=foreseen.cancels,
                opens=foreseen.opens,
                reasons=foreseen.refused,
                left=foreseen.left,
            )

    def jump(
        self,
        instance_id: str,
        element: int,
        target: str,
        actor: Actor,
        reason: str,
        version: int | None = None,
    ) -> None:
        """Put the token of a live element at another node, with all the preview said.

        Afterwards no token is lost and none is there twice; the fact names who, from where, to
        where and why.  Raises NotFound for whoever does not administer its unit, InvalidInput
        without a reason, Stale when the case moved since the preview, MoveRefused when the move
        would break a join or double a token, JumpForbidden when a rule of a package stands
        against it, InvalidState for a case that stands still or is over, SeparationOfDuties where
        a second administrator has to confirm (`engine.confirmations`).
        """
        self._environment.require_one_pair_of_eyes(actor)
        if not reason.strip():
            raise InvalidInput("跳转必须说明原因", {"reason": "必填"})

        def act(work: Work) -> None:
            self._jumped(work, actor)
            if version is not None and version != work.instance.loaded_revision:
                raise Stale
            require_instance_verb(InstanceVerb.JUMP, work.instance.status)
            if element not in work.state.elements:
                raise Stale
            jumping.carry_out(work, element, target, reason.strip()[:500])

        self._commands.on_instance(instance_id, actor, act)

    @staticmethod
    def _jumped(work: Work, actor: Actor) -> Work:
        if not administers(actor, work.instance.region):
            raise NotFound("没有这个事项")
        return work


def administers(actor: Actor, unit: str) -> bool:
    """Whether the unit lies below one where he is system administrator."""
    return actor is SYSTEM or any(
        seat.role == ADMINISTRATOR and regions.covers(seat.unit, unit) for seat in actor.seats
    )
