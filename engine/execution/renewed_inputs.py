"""What a job that was given up is asked to do, computed again after somebody mended the data."""

from __future__ import annotations

from typing import Any

from engine.execution import settle
from engine.execution.work import Work
from engine.kernel import codec
from engine.kernel.decide import RunningDecide
from engine.kernel.events_waiting import as_text
from engine.kernel.program import Node
from engine.kernel.state import Phase
from engine.kernel.work import Work as Step
from engine.store import jobs

_RENEWED = frozenset({settle.JOB_OPERATION, settle.JOB_CALL})


def renew(work: Work, job_id: str) -> None:
    """Evaluate the inputs of the job's element anew, as entering it would.

    Nothing changes for jobs of other kinds and for elements that are gone. Raises ModelFault where
    an input cannot be computed still.
    """
    job = work.tx.first(jobs.BY_ID, {"job_id": job_id})
    if job is None or job.kind not in _RENEWED:
        return
    element = work.state.elements.get(job.element)
    node = None if element is None else work.deployed.program.by_id.get(element.node)
    if element is None or node is None or element.phase is not Phase.WAITING:
        return
    arguments = dict(codec.decode(bytes(job.arguments)))
    step = _with_inputs(work, job.element, node)
    inputs = {each.name: step.locals[job.element][each.name] for each in node.inputs}
    if job.kind == settle.JOB_OPERATION:
        arguments["inputs"] = inputs
    else:
        arguments |= {"variables": inputs, **_labels(step, job.element, node)}
    work.instance.state = step.state()
    work.tx.write(jobs.RENEW, {"job_id": job_id, "arguments": codec.encode(arguments)})


def _with_inputs(work: Work, number: int, node: Node) -> Step:
    decide = RunningDecide(work.now, decisions=work.deployed.decisions)
    step = Step(work.deployed.program, work.state, decide, work.now)
    item = node.loop.item if node.loop is not None else None
    own = step.locals.get(number, {})
    # An input hides the variable it was made of: what was computed then must not be read now.
    for each in node.inputs:
        if each.name != item:
            own.pop(each.name, None)
    for each in node.inputs:
        step.declare(number, each.name, step.evaluate(number, each.value))
    return step


def _labels(step: Step, number: int, node: Node) -> dict[str, Any]:
    call = node.call
    assert call is not None
    found = {
        "region": step.text(number, call.region),
        "business_key": step.text(number, call.business_key),
        "title": step.text(number, call.title),
    }
    return {name: None if value is None else as_text(value) for name, value in found.items()}
