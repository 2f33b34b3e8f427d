"""What a worker does instead of training; in a module of its own, which it loads quickly."""

from __future__ import annotations

import os
import time
from typing import Any

from dialer.adapters.training_watch import TrainedModel, TrainingOrder


def trained(order: TrainingOrder, **changes: Any) -> TrainedModel:
    """Nothing is learned: the worker's answer alone matters."""
    fields = {"model": f"m-{order.now:.0f}", "serves_as": "champion", "refusals": (), "rows": 9, "log_loss": 0.4}
    return TrainedModel(**{**fields, "against": "m-0", "against_log_loss": 0.41, **changes})


def kept_aside(order: TrainingOrder) -> TrainedModel:
    return trained(order, serves_as=None, refusals=("worse than the champion: log loss 0.5 against 0.4",))


def set_aside(order: TrainingOrder) -> TrainedModel:
    return trained(order, serves_as=None, aside=("rolled back by ana",), told=("a column is gone",))


def broken(order: TrainingOrder) -> TrainedModel:
    raise ValueError("the disk\nis full")


def dying(order: TrainingOrder) -> TrainedModel:
    os._exit(3)


def endless(order: TrainingOrder) -> TrainedModel:
    while True:
        time.sleep(60.0)
