"""Counts of requests, shared by every process of one `nuanliu serve`."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

#: read by the library when a process makes its first metric: set before the web processes begin
SHARED = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.08, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
KEY = "nuanliu_metrics"


class Requests:
    """How many requests, and how long they took, by page and status."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = ("method", "endpoint", "status")
        self.count = Counter(
            "nuanliu_http_requests", "Requests answered", names, registry=self.registry
        )
        self.seconds = Histogram(
            "nuanliu_http_request_seconds",
            "Time to answer",
            ("endpoint",),
            buckets=BUCKETS,
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Of this process, or of all that share the folder."""
        if SHARED not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library's omission
        return generate_latest(together)


def share(folder: Path) -> None:
    """Let the processes that begin from now on count together; what an earlier run left goes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ[SHARED] = str(folder)
    # The library looked for the variable when it was imported, which was before.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]  # the library


def install(app: Flask) -> None:
    """Count every request that names a page; others share one label."""
    requests = app.extensions[KEY] = Requests()

    @app.before_request
    def begin() -> None:
        g.counted_from = time.perf_counter()

    @app.after_request
    def end(answer: Response) -> Response:
        if "counted_from" in g:
            page = request.endpoint or "none"
            requests.count.labels(request.method, page, str(answer.status_code)).inc()
            requests.seconds.labels(page).observe(time.perf_counter() - g.counted_from)
        return answer
