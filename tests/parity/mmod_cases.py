"""Cases for MMOD's loss: written for `mmod_loss.cpp`, which asks dlib, and its answers kept in mmod_loss.json."""

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faced_models.boxes import Overlap, Rectangle
from faced_models.network_entry import DetectorWindow
from faced_train.training.mmod.geometry import Grid, Target, UnreachableError
from faced_train.training.mmod.loss import LossOptions

RECORD = Path(__file__).with_name("mmod_loss.json")


@dataclass(frozen=True)
class Case:
    """Targets, options and the scores that the network would give: a line of chance, and single places set."""

    name: str
    size: tuple[int, int]
    windows: tuple[DetectorWindow, ...]
    truths: tuple[tuple[Target, ...], ...]
    options: LossOptions
    seed: int
    low: float
    high: float

    @property
    def grid(self) -> Grid:
        """Where the example's network looks."""
        width, height = self.size
        rows, columns = Grid(self.size, self.windows, (1, 1)).layout.height, 0
        columns = Grid(self.size, self.windows, (1, 1)).layout.width
        return Grid((width, height), self.windows, (_output(rows), _output(columns)))

    @property
    def bumps(self) -> dict[int, float]:
        """Where boxes are, scores between a miss and a sure hit."""
        chance = random.Random(self.seed)
        grid, found = self.grid, {}
        for number, targets in enumerate(self.truths):
            for target in targets:
                try:
                    place = grid.place(target, self.options.match_iou)
                except UnreachableError:
                    continue
                found[number * len(grid.rectangles) + place] = round(chance.uniform(-1.5, 2.0), 4)
        return found

    @property
    def scores(self) -> np.ndarray:
        """float32 [n, windows, rows, columns], as the C++ makes them."""
        rows, columns = self.grid.shape
        shape = (len(self.truths), len(self.windows), rows, columns)
        state, values = self.seed, []
        for _ in range(int(np.prod(shape))):
            state = (state * 1664525 + 1013904223) % 2**32
            values.append(self.low + (self.high - self.low) * (state / 4294967296.0))
        flat = np.array(values, np.float32)
        for place, value in self.bumps.items():
            flat[place] = value
        return flat.reshape(shape)


def _output(length: int) -> int:
    """Three 5x5 convolutions of stride 2, three that keep the size, one of 6 padded by 3."""
    for _ in range(3):
        length = (length - 5) // 2 + 1
    return length + 1


def _target(left: int, top: int, width: int, height: int, label: str = "", *, ignored: bool = False) -> Target:
    return Target(Rectangle(left, top, left + width - 1, top + height - 1), label, ignored)


def cases() -> list[Case]:
    """One of each kind, and many by chance."""
    face = (DetectorWindow(40, 40, ""),)
    loose, usual = Overlap(0.4, 1.0), Overlap(0.2, 0.5)
    two = (_target(20, 30, 45, 44), _target(110, 60, 77, 76))
    crowd = (_target(60, 60, 50, 50), _target(70, 64, 52, 50), _target(120, 120, 40, 40, ignored=True))
    same = (_target(50, 50, 44, 44), _target(51, 50, 44, 44), _target(158, 158, 44, 44), _target(90, 20, 12, 12))
    named = (DetectorWindow(40, 30, "car"), DetectorWindow(24, 40, "cat"), DetectorWindow(40, 40, "car"))
    zoo = (_target(20, 20, 80, 60, "car"), _target(110, 90, 50, 84, "cat"), _target(30, 120, 60, 60, "car"))
    found = [
        Case("nothing-there", (200, 200), face, ((), ()), LossOptions(loose), 1, -2.0, -0.9),
        Case("two", (200, 200), face, (two,), LossOptions(loose), 2, -2.0, -0.8),
        Case("crowd", (200, 200), face, (crowd, two), LossOptions(usual), 3, -2.0, -0.6),
        Case("one-place", (200, 200), face, (same,), LossOptions(Overlap(0.9, 1.0)), 4, -2.0, -0.7),
        Case("many-alarms", (200, 200), face, (two, crowd), LossOptions(loose), 5, -1.0, 1.0),
        Case("labels", (220, 180), named, (zoo, ()), LossOptions(usual), 6, -2.0, -0.7),
        Case("costs", (200, 200), face, (two,), LossOptions(loose, false_alarm=0.5, missed=2.0), 7, -1.5, -0.2),
    ]
    for seed in range(8, 20):
        chance = random.Random(seed)
        truths = tuple(tuple(_any(chance) for _ in range(chance.randrange(7))) for _ in range(3))
        options = LossOptions(Overlap(chance.uniform(0.1, 0.6), chance.uniform(0.3, 1.0)))
        found.append(Case(f"chance-{seed}", (200, 200), face, truths, options, seed, -2.2, chance.uniform(-0.9, 0.3)))
    return found


def _any(chance: random.Random) -> Target:
    side = chance.randrange(38, 130)
    left, top = chance.randrange(0, 200 - side), chance.randrange(0, 200 - side)
    return _target(left, top, side, side + chance.randrange(-4, 5), ignored=chance.random() < 0.2)


def _asked(case: Case) -> str:
    options = case.options
    lines = [
        case.name,
        f"{case.size[0]} {case.size[1]} {len(case.truths)} {options.false_alarm} {options.missed} {options.match_iou}",
        f"{options.overlaps.iou} {options.overlaps.covered}",
        f"{options.ignored_overlaps.iou} {options.ignored_overlaps.covered}",
        str(len(case.windows)),
        *(f"{window.width} {window.height} {window.label or '-'}" for window in case.windows),
    ]
    for targets in case.truths:
        lines.append(str(len(targets)))
        for one in targets:
            box = one.box
            lines.append(f"{box.left} {box.top} {box.right} {box.bottom} {int(one.ignored)} {one.label or '-'}")
    lines.append(f"{case.seed} {case.low} {case.high} {len(case.bumps)}")
    lines += [f"{place} {value}" for place, value in case.bumps.items()]
    return "\n".join(lines)


def _record(lines: list[str]) -> None:
    answers = {}
    for line in lines:
        if not line.startswith("RESULT "):
            continue
        _, name, rows, columns, loss, *gradient = line.split()
        places, values = [int(one) for one in gradient[::2]], [float(one) for one in gradient[1::2]]
        shape = [int(rows), int(columns)]
        answers[name] = {"shape": shape, "loss": float(loss), "places": places, "values": values}
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    if "--record" in sys.argv:
        _record(sys.stdin.readlines())
    else:
        print("\n".join(_asked(case) for case in cases()))
