"""The `traverse` command. `serve` starts from here, every other command by way of commands.py.

A process that serves reads three options once and then lives for weeks: it does without the library that reads them.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import lean_imports

# Here, because the processes of `serve --workers` begin with importing this module as well.
lean_imports.install()

_WRONG_SETTINGS = 2
_INTERRUPTED = 130


def main() -> None:
    """Run the command line; what can be expected to go wrong ends in one sentence a problem."""
    from demo.environment import DemoError
    from serve_command import read_options, serve
    from settings import SettingsError

    options = read_options(sys.argv[1:])
    try:
        if options is None:
            from commands import app

            app()
        else:
            serve(options)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(_WRONG_SETTINGS)
    except DemoError as error:
        _exit_with(f"{error}")
    except _infrastructure_errors() as error:
        from ops.failures import sentence_of

        _exit_with(sentence_of(error))


def _infrastructure_errors() -> tuple[type[Exception], ...]:
    """Asked for only once something was raised: the commands that need none of the drivers stay quick."""
    from ops.failures import INFRASTRUCTURE_ERRORS

    return INFRASTRUCTURE_ERRORS


def _exit_with(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
