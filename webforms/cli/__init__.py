"""The `nuanliu` command: 0 done, 1 what was asked about is wrong, 2 the call is wrong.

Errors are one plain sentence on stderr, never a traceback (our own mistakes go to the log).
"""

from __future__ import annotations

import os
import sys

import click

from engine import errors
from webforms.cli import benchmark, files, installation, serving, values
from webforms.heartbeat import AlreadyRunning
from webforms.settings import WrongSetting

WRONG, MISUSED = 1, 2
DEBUG = "NUANLIU_DEBUG"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """暖流：民政业务流程平台"""


for _command in (
    *serving.COMMANDS,
    *installation.COMMANDS,
    *files.COMMANDS,
    *values.COMMANDS,
    *benchmark.COMMANDS,
):
    cli.add_command(_command)


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
    except (WrongSetting, AlreadyRunning) as error:
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
