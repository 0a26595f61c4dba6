"""The `nuanliu` command: exit codes and plain sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webforms.cli import run

SAMPLE = Path(__file__).parents[2] / "pages" / "sample"
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["feel", "1 + 2"], 0),
        (["feel", "1 +"], 1),
        (["feel", "x > 3", "--context", '{"x": 5}'], 0),
        (["feel", "[1..5]", "--unary", "3"], 0),
        (["feel", "x", "--context", "nonsense"], 2),
        (["check", str(SAMPLE)], 0),
        (["check", "/no/such/place"], 2),
        (["nonsense"], 2),
        (["check"], 2),
    ],
)
def test_it_answers_with_the_promised_code(arguments, code, capsys):
    assert run(arguments) == code

    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.err.strip() or code == 0


def test_check_prints_one_object_a_process(capsys):
    run(["check", str(SAMPLE), "--json"])
    line = json.loads(capsys.readouterr().out)

    assert line["process"] == "sample"
    assert set(line) == {"file", "process", "executable", "sound", "states", "ms", "findings"}


def test_check_names_file_line_and_element(tmp_path, capsys):
    broken = tmp_path / "broken.bpmn"
    text = (SAMPLE / "sample.bpmn").read_text(encoding="utf-8")
    broken.write_text(text.replace('targetRef="review"', 'targetRef="nowhere"'), encoding="utf-8")

    assert run(["check", str(broken)]) == 1
    assert f"{broken}:" in capsys.readouterr().err


def test_run_plays_a_shipped_scenario(capsys):
    scenario = next(iter(sorted(ROOT.glob("workflows/bpmn/*/scenarios/*.toml"))))

    assert run(["run", str(scenario), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_init_makes_a_database_that_verify_and_doctor_find_whole(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NUANLIU_DATA", str(tmp_path))

    assert run(["init"]) == 0
    assert run(["verify"]) == 0
    assert run(["doctor"]) == 0
    assert run(["upgrade"]) == 0
    assert "留痕完整" in capsys.readouterr().out


def test_it_says_in_one_sentence_that_a_setting_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NUANLIU_DATA", str(tmp_path))
    monkeypatch.setenv("NUANLIU_SECRET", "short")

    assert run(["init"]) == 2
    assert "NUANLIU_SECRET" in capsys.readouterr().err
