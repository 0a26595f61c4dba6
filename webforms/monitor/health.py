"""For machines that watch: does it live, can it serve, how does it stand. Not for the public.

`/healthz` asks nothing of anybody: restart the process when it does not answer. `/readyz` is 503
while this process cannot serve. A late timer or a missing worker is told there and in
`/metrics`, and takes no web process out of service: that would only make it worse.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from engine import errors
from webforms.database import engine, runtime
from webforms.shell import metrics
from webforms.shell.permissions import public

TEXT = "text/plain; version=0.0.4; charset=utf-8"
LATE = 60.0
_BEARER = "Bearer "


def add_to(blueprint: Blueprint) -> None:
    """The three addresses."""
    blueprint.get("/healthz")(healthz)
    blueprint.get("/readyz")(readyz)
    blueprint.get("/metrics")(metrics_text)


@public
def healthz() -> Response:
    """The process answers."""
    _only_for_monitors()
    return Response("ok\n", content_type="text/plain")


@public
def readyz() -> tuple[Response, int]:
    """Whether this process can serve: the database answers, in the form this release needs."""
    _only_for_monitors()
    told: dict[str, Any] = {"ready": False, "database": False, "schema": False, "warnings": []}
    try:
        served = engine().upkeep.schema().is_served
        told.update(database=True, schema=served, ready=served)
        if served:
            _describe(told)
    except SQLAlchemyError as error:
        told["ready"] = False
        told["warnings"].append(type(error).__name__)
    return jsonify(told), 200 if told["ready"] else 503


@public
def metrics_text() -> Response:
    """Everything in Prometheus' text form."""
    _only_for_monitors()
    registry = CollectorRegistry()
    registry.register(_Database())
    requests = current_app.extensions[metrics.KEY]
    return Response(generate_latest(registry) + requests.text(), content_type=TEXT)


def _only_for_monitors() -> None:
    """Let in: this machine, `NUANLIU_MONITOR_FROM`, the token. Raises NotFound."""
    settings = runtime().settings
    given = request.headers.get("Authorization", "")
    token = given.removeprefix(_BEARER).encode()
    if settings.monitor_token and secrets.compare_digest(token, settings.monitor_token.encode()):
        return
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        raise errors.NotFound from None
    if not address.is_loopback and not any(address in each for each in settings.monitors):
        raise errors.NotFound


def _describe(told: dict[str, Any]) -> None:
    cluster = engine().cluster
    gauges = cluster.gauges()
    workers = len(cluster.members(kind="worker"))
    told["workers"] = workers
    told["oldest_due_timer_seconds"] = round(gauges.oldest_due_timer, 1)
    if not runtime().settings.is_sqlite and not workers:
        told["warnings"].append("no worker was seen within a minute")
    if max(gauges.oldest_due_timer, gauges.oldest_due_job) > LATE:
        told["warnings"].append("due work is late")


class _Database(Collector):
    """Gauges of the whole installation, the same from whichever process is asked."""

    def collect(self) -> Iterator[Metric]:
        """Ask the database once."""
        cluster = engine().cluster
        gauges = cluster.gauges()
        for name, text in _SINGLE.items():
            value = getattr(gauges, name)
            if value is not None:
                yield GaugeMetricFamily(f"nuanliu_{name}{_unit(name)}", text, value)
        queues = GaugeMetricFamily(
            "nuanliu_queue_batches", "Batches by queue and status", labels=("queue", "status")
        )
        for (queue, status), number in sorted(gauges.queues.items()):
            queues.add_metric((queue, status), number)
        yield queues
        yield from _members(cluster, engine().clock.now())
        given_up = sum(duty.given_up for duty in cluster.duties())
        yield GaugeMetricFamily(
            "nuanliu_duties_given_up", "Periodic duties nobody tries any more", given_up
        )


_SINGLE = {
    "oldest_due_timer": "Age of the oldest due timer no worker was given",
    "due_timers": "Due timers, 10000 at most",
    "lost_timers": "Timers handed to a worker 15 minutes ago and not fired",
    "oldest_due_job": "Age of the oldest due job",
    "due_jobs": "Due jobs, 10000 at most",
    "dead_jobs": "Jobs given up after the last attempt",
    "waiting_messages": "Messages in the outbox, 10000 at most",
    "oldest_message": "Age of the oldest message in the outbox",
    "failed_messages": "Messages that will not be sent by themselves",
    "open_incidents": "Faults nobody has resolved",
    "dead_timer_rows": "Rows of the timer table that wait for vacuum",
    "longest_transaction": "Age of the oldest transaction of the database",
}


def _unit(name: str) -> str:
    return "_seconds" if name.startswith(("oldest", "longest")) else ""


def _members(cluster: Any, now: Any) -> Iterator[Metric]:
    alive = cluster.members()
    number = GaugeMetricFamily(
        "nuanliu_members", "Processes seen within a minute", labels=("kind",)
    )
    for kind in ("web", "worker"):
        number.add_metric((kind,), sum(one.kind == kind for one in alive))
    yield number
    age = GaugeMetricFamily(
        "nuanliu_member_seen_seconds", "Since a process was seen", labels=("kind", "host", "pid")
    )
    done = GaugeMetricFamily(
        "nuanliu_worker_rows_done", "Timers, jobs and duties of a worker", labels=("host", "pid")
    )
    for one in alive:
        age.add_metric((one.kind, one.host, str(one.pid)), (now - one.seen_at).total_seconds())
        if one.kind == "worker":
            done.add_metric((one.host, str(one.pid)), one.done)
    yield age
    yield done
