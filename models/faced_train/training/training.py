"""The loop: epochs of augmented batches, a checkpoint after each, and the same weights whether cut off or not."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from faced_train.errors import DataError
from faced_train.training.augmentation import Augmentation, Squares
from faced_train.training.average import Average
from faced_train.training.checkpoint import Checkpoint, EpochFigures, load, save
from faced_train.training.crops import normalised, resized
from faced_train.training.examples import Examples
from faced_train.training.networks import build_network
from faced_train.training.recipe import Recipe

_LOOK_AT = 256


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears how it goes: `batch` the number of batches done in an epoch and of all in it, `epoch` its figures."""

    batch: Callable[[int, int], None] = lambda _done, _all: None
    epoch: Callable[[EpochFigures], None] = lambda _figures: None


class Training:
    """One run of a recipe on one set of examples, in one folder."""

    def __init__(
        self,
        recipe: Recipe,
        examples: Examples,
        squares: Squares | None,
        folder: Path,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Goes on where an earlier run in the folder was cut off; a new one begins with the weights of `start` that
        have their names and shapes in this network, None: with new ones.

        Raises:
            DataError: the folder holds a run of another recipe or of other data, or nothing of `start` fits.
        """
        self._recipe = recipe
        self._examples = examples
        self._folder = folder
        self._augmentation = Augmentation(recipe.augment, squares)
        self._pictures = torch.from_numpy(examples.pictures)
        self._targets = torch.from_numpy(examples.targets)
        self._weights = torch.from_numpy(examples.weights)
        self._learnt = torch.from_numpy(examples.learnt)
        self._watched = torch.from_numpy(examples.watched)
        self._data = hashlib.sha256((examples.faces.digest + recipe.text).encode()).hexdigest()
        torch.manual_seed(recipe.schedule.seed)
        network = build_network(recipe)
        if start is not None:
            _begin_with(network, start)
        # Rows of channels are what the CPU's convolutions like best.
        self._network = network.to(memory_format=torch.channels_last)
        self._average = Average(self._network, recipe.schedule.average) if recipe.schedule.average else None
        self._optimiser = torch.optim.SGD(
            _groups(self._network, recipe.schedule.weight_decay),
            lr=recipe.schedule.rate,
            momentum=recipe.schedule.momentum,
            nesterov=True,
        )
        self._bf16 = _multiplies_bf16()
        self._checkpoint_before = self._restored()

    @property
    def figures(self) -> tuple[EpochFigures, ...]:
        """Of the epochs that an earlier run has done."""
        return () if self._checkpoint_before is None else self._checkpoint_before.figures

    def run(self, listener: Listener, until: int | None = None) -> Checkpoint:
        """Trains to the recipe's end, or for so many epochs in all, from where an earlier run was cut off.

        Raises:
            DataError: the loss is no number.
        """
        figures = self.figures
        last = self._recipe.schedule.epochs if until is None else min(until, self._recipe.schedule.epochs)
        for epoch in range(len(figures), last):
            one = self._epoch(epoch, listener)
            figures = (*figures, one)
            save(self._checkpoint(figures), self._folder)
            listener.epoch(one)
        return self._checkpoint(figures)

    def _epoch(self, epoch: int, listener: Listener) -> EpochFigures:
        start = time.monotonic()
        schedule = self._recipe.schedule
        # All chance of an epoch comes from the seed and its number.
        torch.manual_seed(schedule.seed + 1_000_003 * (epoch + 1))
        random = torch.Generator().manual_seed(schedule.seed + 2_000_003 * (epoch + 1))
        order = self._learnt[torch.randperm(len(self._learnt), generator=random)]
        batches = max(1, len(order) // schedule.batch)
        self._network.train()
        total = 0.0
        for number in range(batches):
            step = epoch * batches + number
            self._set_rate(step, batches)
            rows = order[number * schedule.batch : (number + 1) * schedule.batch]
            loss = self._step(rows, self._recipe.side(epoch), random)
            if not math.isfinite(loss):
                raise DataError(f"the loss is {loss} in epoch {epoch + 1}: the rate {schedule.rate} is too high")
            total += loss
            if self._average is not None:
                self._average.follow(self._network, step)
            listener.batch(number + 1, batches)
        loss, divergence, accuracy = self._look()
        return EpochFigures(epoch + 1, total / batches, loss, divergence, accuracy, time.monotonic() - start)

    def _step(self, rows: Tensor, side: int, random: torch.Generator) -> float:
        plan = self._recipe.augment
        crops = self._augmentation(self._pictures, rows, side, random)
        targets, weights = self._targets[rows], self._weights[rows]
        if plan.mixed and float(torch.rand(1, generator=random)) < plan.mixed:
            share = _beta(plan.mixup, random)
            other = torch.randperm(len(rows), generator=random)
            crops = share * crops + (1 - share) * crops[other]
            targets = share * targets + (1 - share) * targets[other]
            weights = share * weights + (1 - share) * weights[other]
        with self._arithmetic():
            logits = self._network(normalised(crops, self._recipe.network))
        losses = functional.cross_entropy(logits.float(), targets, reduction="none")
        loss = (losses * weights).mean()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        return float(loss.detach())

    @torch.no_grad()
    def probabilities(self, rows: Tensor) -> Tensor:
        """[n, classes] of pictures as they were handed out, each averaged with its mirror image."""
        network = self._average.network if self._average is not None else self._network
        network.eval()
        side = self._recipe.network.side
        found = []
        for part in rows.split(_LOOK_AT):
            crops = normalised(resized(self._pictures[part], side), self._recipe.network)
            found.append((network(crops).softmax(1) + network(crops.flip(3)).softmax(1)) / 2)
        return torch.cat(found)

    def _look(self) -> tuple[float, float, float]:
        """Loss, KL(target || network) and accuracy of the rows held out."""
        probabilities, targets = self.probabilities(self._watched), self._targets[self._watched]
        crossed = -(targets * probabilities.clamp_min(1e-7).log()).sum(1)
        divergence = crossed + torch.xlogy(targets, targets).sum(1)
        right = probabilities.argmax(1) == targets.argmax(1)
        return float(crossed.mean()), float(divergence.mean()), float(right.float().mean())

    def _set_rate(self, step: int, batches: int) -> None:
        schedule = self._recipe.schedule
        warm, last = schedule.warmup * batches, schedule.epochs * batches
        if step < warm:
            share = (step + 1) / warm
        else:
            share = 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, last - warm)))
        for group in self._optimiser.param_groups:
            group["lr"] = schedule.rate * share

    def _arithmetic(self) -> torch.autocast | nullcontext[None]:
        return torch.autocast("cpu", torch.bfloat16) if self._bf16 else nullcontext()

    def _restored(self) -> Checkpoint | None:
        checkpoint = load(self._folder)
        if checkpoint is None:
            return None
        if checkpoint.data != self._data:
            raise DataError(f"{self._folder}: holds a run of another recipe or of other data; name another folder")
        self._network.load_state_dict(dict(checkpoint.weights))
        if self._average is not None:
            self._average.restore(checkpoint.average)
        self._optimiser.load_state_dict(dict(checkpoint.optimiser))
        return checkpoint

    def _checkpoint(self, figures: tuple[EpochFigures, ...]) -> Checkpoint:
        average = {} if self._average is None else self._average.network.state_dict()
        return Checkpoint(
            recipe=self._recipe.text,
            data=self._data,
            epochs=len(figures),
            weights=self._network.state_dict(),
            average=average,
            optimiser=self._optimiser.state_dict(),
            figures=figures,
        )


def _begin_with(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    own = network.state_dict()
    fitting = {name: one for name, one in weights.items() if name in own and own[name].shape == one.shape}
    if not fitting:
        raise DataError("none of the weights to start with fit this recipe's network")
    network.load_state_dict(own | fitting)


def _groups(network: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weights decay; biases and batch norms do not."""
    matrices = [one for one in network.parameters() if one.ndim > 1]
    others = [one for one in network.parameters() if one.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _beta(alpha: float, random: torch.Generator) -> float:
    """A draw of Beta(alpha, alpha), by Jöhnk's method."""
    while True:
        x, y = (torch.rand(2, generator=random, dtype=torch.float64) ** (1 / alpha)).tolist()
        if 0 < x + y <= 1:
            return float(x / (x + y))


def _multiplies_bf16() -> bool:
    """Whether this CPU does: where it does not, bf16 is slower than float32."""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())
