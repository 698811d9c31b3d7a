"""The loop: random crops, a rate that falls when the loss does not, and the same weights whether cut off or not."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from faced_models.kernels import load_kernels
from faced_models.pyramid_builder import PyramidBuilder
from faced_models.team import Team
from faced_proto.types import RgbImage
from faced_train.errors import DataError
from faced_train.training.mmod.checkpoint import FORMAT, read_checkpoint, unreadable, write_checkpoint
from faced_train.training.mmod.cropper import Cropper
from faced_train.training.mmod.geometry import OUTER_PADDING, PADDING, Grid, Target
from faced_train.training.mmod.loss import LossOptions, mmod_loss
from faced_train.training.mmod.network import DetectorNetwork
from faced_train.training.mmod.pictures import Pictures
from faced_train.training.mmod.plan import Plan
from faced_train.training.mmod.plateau import without_decrease
from faced_train.training.mmod.reach import out_of_reach
from faced_train.training.mmod.start import start_of

_SAVE_SECONDS = 300.0
_CHECK_STEPS = 50
"""How often the losses are looked at for a plateau."""

_CALIBRATION_BATCHES = 20


class DetectorTraining:
    """One run of a plan on labelled pictures, in one folder."""

    def __init__(self, plan: Plan, pictures: Pictures, folder: Path, threads: int) -> None:
        """Goes on where an earlier run in the folder was cut off.

        Raises:
            DataError: the folder holds a run of another plan or of other pictures.
            WeightsError: as `start_of`.
        """
        self._plan, self._pictures, self._folder = plan, pictures, folder
        torch.manual_seed(plan.seed)
        start = start_of(plan, pictures.truths)
        self.network, self.means = start.network, start.means
        self.windows, self.overlaps = start.windows, start.overlaps
        self._options = LossOptions(self.overlaps)
        self._cropper = Cropper(plan.crop, plan.target_size, plan.least_size)
        means = np.array(start.means, np.float32)
        self._builder = PyramidBuilder(load_kernels(), means, PADDING, OUTER_PADDING, Team(min(threads, 3)))
        layout = Grid((plan.crop, plan.crop), self.windows, (1, 1)).layout
        shape = self.network.output_shape(layout.height, layout.width)
        self._grid = Grid((plan.crop, plan.crop), self.windows, shape)
        told = {name: value for name, value in asdict(plan).items() if name != "steps"}
        self._identity = hashlib.sha256(f"{told} {pictures.digest}".encode()).hexdigest()
        self._optimiser = torch.optim.SGD(_groups(self.network, plan), lr=plan.rate, momentum=plan.momentum)
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.saved = 0
        self._since = 0
        self._restore()

    @property
    def rate(self) -> float:
        """The learning rate now."""
        return float(self._optimiser.param_groups[0]["lr"])

    @property
    def unreached(self) -> tuple[str, ...]:
        """Boxes that no crop can teach, each with file, line and reason; they are not learnt, as dlib does not.

        Raises:
            DataError: no other box is left.
        """
        notes, boxes = [], 0
        for targets, places in zip(self._pictures.truths, self._pictures.places, strict=True):
            boxes += sum(not one.ignored for one in targets)
            found = out_of_reach(targets, self._grid, self._cropper, self._options.match_iou)
            notes += [f"{places[index]} is not learnt: {why}" for index, why in found]
        if len(notes) == boxes:
            raise DataError(f"no box can be learnt: {notes[0]}")
        return tuple(notes)

    @property
    def done(self) -> bool:
        """Whether the rate has fallen to its end, or all steps that were asked for are done."""
        # A tenth of a tenth is not exactly a hundredth.
        fallen = self.rate < 0.5 * self._plan.last_rate
        return fallen or bool(self._plan.steps and len(self.losses) >= self._plan.steps)

    def run(self, heard: Callable[[DetectorTraining], None]) -> None:
        """Trains to the end; `heard` is called every `_CHECK_STEPS` steps. Saves every five minutes and at the end.

        Raises:
            DataError: the loss is no number.
        """
        saved = time.monotonic()
        self.network.train()
        while not self.done:
            self.step()
            if len(self.losses) % _CHECK_STEPS == 0:
                heard(self)
            if time.monotonic() - saved > _SAVE_SECONDS:
                self.save()
                saved = time.monotonic()
        # Only here and there, between steps: a step that is cut in two could not be gone on with.
        self.save()

    def step(self) -> float:
        """One batch; its loss, roughly the mistakes in a crop."""
        number = len(self.losses)
        crops, truths = self._draw(number)
        objective, judged = mmod_loss(self.network(self._pyramids(crops)), truths, self._grid, self._options)
        if not math.isfinite(judged.loss):
            raise DataError(f"the loss is {judged.loss} in step {number + 1}: the rate {self.rate} is too high")
        self._optimiser.zero_grad(set_to_none=True)
        objective.backward()
        self._optimiser.step()
        self.losses.append(judged.loss)
        self.rates.append(self.rate)
        if len(self.losses) % _CHECK_STEPS == 0 and without_decrease(self.losses[self._since :], self._plan.patience):
            self._since = len(self.losses)
            for group in self._optimiser.param_groups:
                group["lr"] *= 0.1
        return judged.loss

    @torch.no_grad()
    def settled(self) -> DetectorNetwork:
        """The network with batch-norm statistics of whole pictures' own crops, ready to be exported."""
        network = deepcopy(self.network).train()
        for norm in network.norms:
            norm.reset_running_stats()
            norm.momentum = None
        for number in range(_CALIBRATION_BATCHES if network.norms else 0):
            network(self._pyramids(self._draw(10_000_000 + number)[0]))
        return network.eval()

    def _draw(self, number: int) -> tuple[list[RgbImage], list[tuple[Target, ...]]]:
        # All chance of a step comes from the seed and its number.
        chance = np.random.default_rng((self._plan.seed, number))
        images, truths = self._pictures.images, self._pictures.truths
        return self._cropper.crops(images, truths, self._plan.batch, chance)

    def _pyramids(self, crops: Sequence[RgbImage]) -> Tensor:
        built, recipe = self._builder.build(crops, 0)
        pyramids = torch.from_numpy(built.copy())
        self._builder.give_back(built, recipe)
        return pyramids.contiguous(memory_format=torch.channels_last)

    def save(self) -> None:
        """As a whole or not at all."""
        content = {
            "format": FORMAT,
            "identity": self._identity,
            "batch": self._plan.batch,
            "patience": self._plan.patience,
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "losses": self.losses,
            "rates": self.rates,
            "since": self._since,
        }
        write_checkpoint(self._folder, content)
        self.saved = len(self.losses)

    def _restore(self) -> None:
        content = read_checkpoint(self._folder)
        if content is None:
            return
        if content["identity"] != self._identity:
            raise DataError(f"{self._folder}: holds a run of another plan or of other pictures; name another folder")
        try:
            self.network.load_state_dict(content["network"])
            self._optimiser.load_state_dict(content["optimiser"])
            self.losses, self.rates, self._since = content["losses"], content["rates"], content["since"]
            self.saved = len(self.losses)
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise unreadable(self._folder, error) from error


def _groups(network: DetectorNetwork, plan: Plan) -> list[dict[str, object]]:
    matrices = [one for one in network.parameters() if one.ndim > 1]
    others = [one for one in network.parameters() if one.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": plan.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
