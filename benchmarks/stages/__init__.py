"""The stages of `make bench`, in their order."""

from benchmarks.stages import (
    growth,
    latency,
    memory,
    notifications,
    scaling,
    start,
    subscriptions,
    throughput,
    webhooks,
)
from benchmarks.stages.stage import Stage

STAGES: dict[str, Stage] = {
    module.STAGE.name: module.STAGE
    for module in (throughput, latency, growth, scaling, memory, start, webhooks, notifications, subscriptions)
}

__all__ = ["STAGES", "Stage"]
