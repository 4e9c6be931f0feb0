"""One process a picture, few at a time, each with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path

from services.pictures.picture import PNG_SIGNATURE, Picture

_ROOT = Path(__file__).parents[2]
_MAX_PICTURE_BYTES = 20_000_000


class PaintingError(Exception):
    """No picture came. Holds nothing of what was to be shown."""


class Painter:
    """Draws pictures. `aclose` ends what is being drawn, and takes away the folder of fonts."""

    def __init__(self, *, at_once: int = 2, deadline_seconds: float = 30.0) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._deadline_seconds = deadline_seconds
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def draw(self, picture: Picture) -> bytes:
        """Return the picture as PNG. Raises PaintingError."""
        try:
            async with asyncio.timeout(self._deadline_seconds), self._slots:
                return await self._drawn(picture)
        except TimeoutError:
            raise PaintingError(f"picture: not drawn within {self._deadline_seconds:g} seconds") from None

    async def aclose(self) -> None:
        if self._folder is not None:
            folder, self._folder = self._folder, None
            folder.cleanup()

    async def _drawn(self, picture: Picture) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.pictures",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # a traceback would hold what was to be shown
            env=self._environment(),
        )
        try:
            drawn, _ = await process.communicate(picture.to_json())
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0 or not drawn.startswith(PNG_SIGNATURE) or len(drawn) > _MAX_PICTURE_BYTES:
            raise PaintingError(f"picture: the process that draws ended with {process.returncode}, and no PNG")
        return drawn

    def _environment(self) -> dict[str, str]:
        """Nothing of ours: what draws needs no secret. The fonts that matplotlib found are kept for the next one."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="traverse-pictures-")
        return {
            "PYTHONPATH": str(_ROOT),
            "PATH": os.environ.get("PATH", ""),
            "MPLCONFIGDIR": self._folder.name,
            "MPLBACKEND": "Agg",
            "LANG": "C.UTF-8",
        }
