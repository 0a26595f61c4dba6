"""The `nuanliu` command: 0 done, 1 what was asked about is wrong, 2 the call is wrong.

Errors are one plain sentence on stderr, never a traceback (our own mistakes go to the log).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from engine import errors
from webforms.settings import Misused

WRONG, MISUSED = 1, 2
DEBUG = "NUANLIU_DEBUG"
#: which module answers a command; a question about a file must not wait for the web to load
MODULES = {
    "serve": "serving",
    "demo": "serving",
    "worker": "working",
    "init": "installation",
    "upgrade": "upkeep",
    "doctor": "upkeep",
    "backup": "upkeep",
    "restore": "upkeep",
    "verify": "installation",
    "deploy": "installation",
    "check": "files",
    "run": "files",
    "feel": "values",
    "dmn": "values",
    "bench": "benchmark",
    "token": "token",
}


class Commands(click.Group):
    """Loads the module of a command when it is called, or when help is asked of it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """In the order of the table."""
        return list(MODULES)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in MODULES:
            return None
        module = import_module(f"{__name__}.{MODULES[cmd_name]}")
        found: click.Command = next(each for each in module.COMMANDS if each.name == cmd_name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """暖流：民政业务流程平台"""


def main() -> None:
    """Entry point; exits with the code the contract promises."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and answer its exit code."""
    try:
        code = cli.main(arguments, prog_name="nuanliu", standalone_mode=False)
    except click.exceptions.Abort:
        return MISUSED
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return MISUSED
    except Misused as error:
        click.echo(str(error), err=True)
        return MISUSED
    except errors.NuanliuError as error:
        click.echo(error.message, err=True)
        return WRONG
    except Exception as error:
        # The contract promises one plain sentence; who mends it asks for the rest.
        if os.environ.get(DEBUG):
            raise
        click.echo(f"程序内部错误（{type(error).__name__}），设 {DEBUG}=1 可看详情", err=True)
        return WRONG
    return int(code or 0)
