"""`nuanliu bench` as a table: a line a figure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

from webforms import bench
from webforms.cli import benchmark

FIGURES = bench.Figures(
    database="sqlite",
    starts_per_s=1.0,
    completions_per_s_1=2.0,
    completions_per_s_8=3.0,
    inbox_ms_p50=4.0,
    inbox_ms_p95=5.0,
    timers_per_s=6.0,
    bytes_per_instance=7,
    http_completions_per_s_8=None,
    http_inbox_ms_p95=None,
    cpu_ms_per_start=8.0,
    cpu_ms_per_completion_1=9.0,
)


@pytest.mark.parametrize("bars", [{}, {"history_p95": 10.0, "load_after": 11.0}])
def test_each_figure_is_a_line_and_those_of_a_data_set_come_last(monkeypatch, bars):
    monkeypatch.setattr(bench, "run", lambda *_given, **_named: replace(FIGURES, bars=bars))

    told = CliRunner().invoke(benchmark.measure, [], catch_exceptions=False)

    lines = told.stdout.splitlines()
    assert lines[0] == "数据库\tsqlite"
    assert "网页待办 95%（毫秒）\t—" in lines
    last = len(benchmark._TITLES)
    assert lines[last:] == [f"{name}\t{value}" for name, value in bars.items()]
