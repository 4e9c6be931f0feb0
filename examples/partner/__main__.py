"""`python -m examples.partner`: follow the appointments that TRAVERSE_CLIENT_ID may see, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path

import httpx

from examples.partner.api import SignInRefused, TraverseAPI
from examples.partner.follower import Follower
from examples.partner.store import Store

_SECONDS = 15.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.partner", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where Traverse is")
    parser.add_argument("--store", type=Path, default=Path("appointments.db"), help="file for state and cursors")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        # Not by the command line: other users of a machine can read those.
        client_id, secret = os.environ["TRAVERSE_CLIENT_ID"], os.environ["TRAVERSE_CLIENT_SECRET"]
    except KeyError as missing:
        parser.error(f"{missing.args[0]} is not set: `traverse partner create` shows both, once")
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(_follow(options.url, client_id, secret, options.store))
        except SignInRefused as refused:
            logging.getLogger(__name__).error("not signed in (%s): look at the client and its secret", refused)  # noqa: TRY400
            return 1
    return 0


async def _follow(url: str, client_id: str, secret: str, path: Path) -> None:
    store = Store(path)
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
            await Follower(TraverseAPI(url, client_id, secret, http), store).run()
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
