"""Crops to distributions: one batcher for each attribute network, shared by the faces of all frames in hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from faced_models.classifier import Classifier
from faced_models.crop import CropRecipe
from faced_models.errors import ModelError, OutOfMemory
from faced_models.thrifty_detector import MemoryStep
from faced_proto.types import AttributeFailure, AttributeOutcome, Distribution, ErrorReason
from faced_service.alignment import Crops
from faced_service.batcher import Batcher, Closed, QueueFull
from faced_service.errors import InternalError
from faced_service.fair_queue import Expired, Flow
from faced_service.metrics import Metrics
from faced_service.settings import Settings
from faced_service.work_thread import Hung

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Described:
    """One outcome for each face, by network; seconds in the longest queue, and in all networks together."""

    outcomes: Mapping[str, Sequence[AttributeOutcome]]
    waited: float
    worked: float


class Describer:
    """Runs the attribute networks. A network that fails costs its own attribute, and nothing else."""

    def __init__(
        self,
        classifiers: Mapping[str, Classifier],
        settings: Settings,
        metrics: Metrics,
        *,
        on_hang: Callable[[str], None],
    ) -> None:
        self._classifiers = classifiers
        self._batchers: dict[str, Batcher[Crops, None, tuple[Distribution, ...]]] = {
            network: Batcher(
                f"describe-{network}",
                partial(_classify, classifier, metrics),
                max_batch=settings.describe_batch,
                max_wait=settings.describe_wait_ms / 1000,
                # Frames were admitted before they came here, and no frame has more than one item in each queue.
                queue_limit=settings.queue_limit,
                run_timeout=settings.run_timeout_s,
                on_hang=on_hang,
                on_batch=metrics.batch_began,
            )
            for network, classifier in classifiers.items()
        }

    def recipes(self, networks: Collection[str]) -> dict[str, CropRecipe]:
        """How each network wants its faces cut out."""
        return {network: self._classifiers[network].recipe for network in networks}

    async def describe(self, crops: Mapping[str, Crops], *, flow: Flow, deadline: float | None) -> Described:
        """`crops` by network, all of the same faces, at least one.

        Raises:
            Expired: the deadline passed before a network began.
            Closed: the server stops.
        """
        answers = await asyncio.gather(
            *(self._describe(network, faces, flow, deadline) for network, faces in crops.items())
        )
        return Described(
            {network: outcomes for network, (outcomes, _, _) in zip(crops, answers, strict=True)},
            max((waited for _, waited, _ in answers), default=0.0),
            sum(worked for _, _, worked in answers),
        )

    async def close(self, *, drain: bool) -> None:
        """See `Batcher.close`."""
        await asyncio.gather(*(batcher.close(drain=drain) for batcher in self._batchers.values()))

    async def _describe(
        self, network: str, faces: Crops, flow: Flow, deadline: float | None
    ) -> tuple[Sequence[AttributeOutcome], float, float]:
        try:
            served = await self._batchers[network].submit(
                faces, key=None, flow=flow, deadline=deadline, size=len(faces), cost=len(faces)
            )
        except (Expired, Closed, QueueFull):
            raise
        except (ModelError, Hung) as error:
            _logger.error("network %s failed: %s", network, error)
            return failures(network, len(faces), str(error)), 0.0, 0.0
        except Exception:
            _logger.exception("network %s failed in an unforeseen way", network)
            broken = AttributeFailure(network, ErrorReason.INTERNAL, str(InternalError()))
            return (broken,) * len(faces), 0.0, 0.0
        return served.value, served.waited, served.worked


def failures(network: str, faces: int, message: str) -> tuple[AttributeFailure, ...]:
    """The same failure for each of `faces`."""
    return (AttributeFailure(network, ErrorReason.MODEL_FAILED, message),) * faces


def _classify(
    classifier: Classifier, metrics: Metrics, _key: None, frames: Sequence[Crops]
) -> list[tuple[Distribution, ...]]:
    """All faces of all frames in one run; the results by frame again."""
    rest = iter(_thriftily(classifier, metrics, frames[0] if len(frames) == 1 else np.concatenate(frames)))
    return [tuple(next(rest) for _ in frame) for frame in frames]


def _thriftily(classifier: Classifier, metrics: Metrics, faces: Crops) -> list[Distribution]:
    """Halves the faces until the memory suffices."""
    try:
        return classifier.classify(faces)
    except OutOfMemory as error:
        half = len(faces) // 2
        _logger.warning("a network is out of memory for %d faces: %s", len(faces), error)
        metrics.memory_was_short(MemoryStep.SPLIT if half else MemoryStep.FAILED)
        if not half:
            raise
    return _thriftily(classifier, metrics, faces[:half]) + _thriftily(classifier, metrics, faces[half:])
