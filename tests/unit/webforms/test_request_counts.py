"""Requests are counted together by every process that serves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys
from pathlib import Path
from flask import Flask
from webforms.shell import metrics

metrics.share(Path(sys.argv[1]))
for _ in range(2):
    if os.fork() == 0:
        app = Flask("x")
        metrics.install(app)
        app.get("/hello")(lambda: "hello")
        for _ in range(3):
            app.test_client().get("/hello")
        os._exit(0)
for _ in range(2):
    os.wait()
app = Flask("x")
metrics.install(app)
print(app.extensions[metrics.KEY].text().decode())
"""


def test_what_two_processes_answered_is_one_number(tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"of an earlier run")

    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip

    line = next(
        line for line in told.stdout.splitlines() if line.startswith("nuanliu_http_requests_total{")
    )
    assert line.endswith(" 6.0")
    assert 'status="200"' in line
