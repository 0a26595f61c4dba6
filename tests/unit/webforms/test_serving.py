"""What the web server's processes are like."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap

import pytest

THREADS = 8


def heaps(*, shared: bool, **environment: str) -> int:
    """How many heaps the threads of a fresh process have, which all hold memory at once."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                import ctypes, threading
                if {shared}:
                    from webforms.cli import serving
                    serving._share_heaps()
                ready = threading.Barrier({THREADS} + 1)
                def hold():
                    kept = [bytes(5_000) for _ in range(100)]
                    ready.wait()
                    ready.wait()
                for _ in range({THREADS}):
                    threading.Thread(target=hold).start()
                ready.wait()
                library = ctypes.CDLL(None)
                library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
                library.fflush(None)
                ready.wait()
                """
            ),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={name: each for name, each in os.environ.items() if name != "MALLOC_ARENA_MAX"}
        | environment,
    )
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_info"), reason="another C library has its own way"
)
def test_its_threads_share_two_heaps_unless_the_administrator_chose_a_number():
    assert heaps(shared=False) > 4
    assert heaps(shared=True) <= 2
    assert heaps(shared=True, MALLOC_ARENA_MAX="4") == 4
