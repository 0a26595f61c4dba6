"""What a caller gets who enters by the front door alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

MODEL = (
    "<definitions xmlns='https://www.omg.org/spec/DMN/20230324/MODEL/' id='d' name='d' "
    "namespace='urn:d'><decision id='a' name='a'><variable name='a'/><literalExpression><text>"
    "now() instance of date and time</text></literalExpression></decision></definitions>"
)
DOORS = [
    "from engine import feel; print(feel.evaluate('now() instance of date and time'))",
    f"from engine import DecisionModel; print(DecisionModel.from_xml({MODEL!r}).evaluate('a'))",
]


@pytest.mark.parametrize("program", DOORS)
def test_it_tells_the_hour_whichever_name_is_taken_first(program: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "True"
