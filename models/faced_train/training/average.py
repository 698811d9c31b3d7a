"""A running mean of a network's weights, which does better than the weights of any moment (Polyak, 1992)."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """Follows a network with `decay` a step; faster at first, so that the first weights are soon forgotten."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def follow(self, network: nn.Module, step: int) -> None:
        """After step number `step`, from 0."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        for mine, now in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(now, share)
            else:
                mine.copy_(now)

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """As a checkpoint has it."""
        self.network.load_state_dict(dict(weights))
