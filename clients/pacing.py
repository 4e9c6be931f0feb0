"""What a client needs from whoever keeps the pace of calls across all processes."""

from typing import Protocol


class Pacer(Protocol):
    """One gate a key. Keys are constants of the clients; the rate behind a key is the implementation's business."""

    async def wait(self, key: str) -> None:
        """Return when the next free slot of that rate, counted over all processes, is ours."""
        ...

    async def hold(self, key: str, seconds: float) -> None:
        """Close the gate for everyone: the partner said 429."""
        ...
