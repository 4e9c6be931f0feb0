"""`traverse serve`: its options, read without a library, and what it does."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from demo.environment import adopt_demo_settings
from settings import Settings, load_settings

MOST_WORKERS = 256
MOST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """`host`, `port`: None for those of the settings."""

    workers: int = 1
    host: str | None = None
    port: int | None = None


def read_options(arguments: Sequence[str]) -> ServeOptions | None:
    """Return what these arguments of `traverse` ask `serve` for.

    None: another command, a question for help, or anything that is not as it should be. commands.py has words for it.
    """
    if not arguments or arguments[0] != "serve":
        return None
    read: dict[str, int | str] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        name, has_value, value = argument.partition("=")
        value = value if has_value else next(rest, "")
        if name == "--host" and value and not value.startswith("-"):
            read["host"] = value
        elif name == "--workers" and _is_number(value, MOST_WORKERS):
            read["workers"] = int(value)
        elif name == "--port" and _is_number(value, MOST_PORT):
            read["port"] = int(value)
        else:
            return None
    return ServeOptions(**read)  # pyright: ignore[reportArgumentType]: each was read as what it is


def serve(options: ServeOptions) -> None:
    """Serve the API until a signal ends it."""
    settings = settings_of_here()
    from serving import serve as run_server

    settings.trusted_documents()  # what is wrong with them is told here, in one sentence, and not by each process
    run_server(
        settings, host=options.host or settings.host, port=options.port or settings.port, workers=options.workers
    )


def settings_of_here() -> Settings:
    """Read the environment, or what the demo in this folder left; say so if it is the latter."""
    adopt_and_tell()
    return load_settings()


def adopt_and_tell() -> None:
    """Let the settings of the demo in this folder be those of the process, if it has none of its own."""
    found = adopt_demo_settings(os.environ)
    if found is not None:
        print(f"Using the settings of the demo: {found}", file=sys.stderr)


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most
