"""How a network is trained, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, get_type_hints

from faced_train.datasets.fer2013_csv import EMOTIONS
from faced_train.errors import DataError

RECIPES = Path(__file__).parent / "recipes"

T = TypeVar("T")

_EXPECTED = {
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
    str: ((str,), "a text"),
}
FACE_RESNET = "face-resnet"
_CLASSES: Mapping[str, tuple[str, ...]] = {"emotion": EMOTIONS, "gender": ("female", "male"), "age": ()}
"""What classes may be, () for any."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """`kind` is face-net, face-resnet (which begins as dlib's network for telling people apart), emotion-vgg or
    age-gender; `side` px and `channels` (1 grey, 3 RGB) are what it sees, as (value - mean) * scale of values 0 to 255.
    Pictures are kept at `kept` px (0: `side`).
    """

    kind: str
    side: int
    channels: int
    mean: tuple[float, ...] = (127.5,)
    scale: float = 1 / 127.5
    kept: int = 0
    dropout: float = 0.0
    widths: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What is learnt: FER+'s `votes`, or the data set's `emotion`, `gender`, `age` in years or `age_group` (Adience's).

    `classes` are the network's outputs in their order; `fold` joins a label to another one (emotion). `balance` weighs
    rows by the rarity of their class: 0 not at all, 1 so that all classes weigh the same. `smoothing` is the share of
    every target that is spread over all classes.
    """

    kind: str
    classes: tuple[str, ...]
    fold: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    balance: float = 0.0
    smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class AugmentPlan:
    """Ranges that are drawn from evenly, for each picture anew.

    `turn` in degrees either way; `zoom` and `squeeze` (of width against height) as factors, 0.1 is 1/1.1 to 1.1;
    `shift` as a share of the side; `gamma` as a factor; `blur` and `noise` are the most: sigma in pixels of the crop
    and in grey levels. `erase` is the share of pictures that lose a rectangle, `mixup` the beta distribution's
    parameter (Zhang et al., ICLR 2018) and `mixed` the share of batches that it is done to.
    `served` is the share of crops that lie where the server would cut them out; of these `chip` is the share of dlib's
    chips, `eyes` that of imutils' FaceAligner, with the left eye at 0.325 of the side; the others lie between
    chip and box. `padding` is the least and largest margin of all but FaceAligner's.
    """

    flip: bool = True
    turn: float = 0.0
    zoom: float = 0.0
    squeeze: float = 0.0
    shift: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    erase: float = 0.0
    mixup: float = 0.0
    mixed: float = 0.0
    served: float = 0.0
    chip: float = 0.0
    eyes: float = 0.0
    padding: tuple[float, ...] = (0.2, 0.2)


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """Stochastic gradient descent with Nesterov's momentum; the rate rises for `warmup` epochs and falls as a cosine.

    `sides` are pairs of an epoch and the side in pixels from then on: small pictures first save time (Tan and Le,
    ICML 2021). `average` is the decay of the running mean of the weights (0: none), which is what is exported.
    """

    epochs: int
    batch: int
    rate: float
    weight_decay: float
    momentum: float = 0.9
    warmup: float = 1.0
    average: float = 0.0
    sides: tuple[tuple[int, int], ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what comes out, besides the data and the machine's arithmetic.

    `attribute` is what the network is served as, "": the subject. `research_only` marks what comes of data that may
    not be used otherwise.
    """

    name: str
    subject: str
    network: NetworkPlan
    target: TargetPlan
    augment: AugmentPlan
    schedule: SchedulePlan
    held_out: float = 0.05
    attribute: str = ""
    research_only: bool = False
    text: str = field(default="", compare=False)

    @property
    def kept_side(self) -> int:
        """The side of the pictures that are drawn from, in pixels."""
        return self.network.kept or self.network.side

    def side(self, epoch: int) -> int:
        """The side of the pictures in an epoch, in pixels."""
        return next((side for start, side in reversed(self.schedule.sides) if epoch >= start), self.network.side)


def read_recipe(path: Path) -> Recipe:
    """A recipe.

    Raises:
        DataError: it cannot be read; names the key that is missing, unknown or of a wrong type.
    """
    try:
        return parse_recipe(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def parse_recipe(text: str, where: str) -> Recipe:
    """As `read_recipe`, from the file's text."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{where}: is no TOML: {error}") from error
    plans: dict[str, object] = {"text": text}
    for name, kind in (
        ("network", NetworkPlan),
        ("target", TargetPlan),
        ("augment", AugmentPlan),
        ("schedule", SchedulePlan),
    ):
        plans[name] = _built(kind, table.pop(name, {}), f"{where}: [{name}]")
    recipe: Recipe = _built(Recipe, {**table, **plans}, f"{where}:")
    _check(recipe, where)
    return recipe


def _check(recipe: Recipe, where: str) -> None:
    """What types do not tell."""
    if recipe.subject not in _CLASSES:
        raise DataError(f"{where}: subject is {recipe.subject!r}; there are {', '.join(_CLASSES)}")
    known = _CLASSES[recipe.subject]
    strange = next((name for name in recipe.target.classes if known and name not in known), None)
    if strange is not None:
        raise DataError(f"{where}: [target] classes has {strange!r}; there are {', '.join(known)}")
    if len(recipe.target.classes) < 2:
        raise DataError(f"{where}: [target] classes are to be two or more")
    if len(recipe.network.mean) != recipe.network.channels:
        raise DataError(
            f"{where}: [network] mean has {len(recipe.network.mean)} values, one for each channel is needed"
        )
    if not recipe.network.scale:
        raise DataError(f"{where}: [network] scale is 0")
    schedule = recipe.schedule
    for name, least in (("epochs", 1), ("batch", 2)):
        if getattr(schedule, name) < least:
            raise DataError(f"{where}: [schedule] {name} is {getattr(schedule, name)}, must be at least {least}")
    if schedule.rate <= 0:
        raise DataError(f"{where}: [schedule] rate is {schedule.rate}, must be above 0")
    if not 0 < recipe.held_out < 1:
        raise DataError(f"{where}: held_out is {recipe.held_out}, must be between 0 and 1")


def _built(kind: type[T], table: object, where: str) -> T:
    if not isinstance(table, dict):
        raise DataError(f"{where} is to be a table")
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - known)
    if unknown:
        raise DataError(f"{where} does not know {unknown[0]!r}; there are {', '.join(sorted(known - {'text'}))}")
    kinds = get_type_hints(kind)
    for key, value in table.items():
        expected = _EXPECTED.get(kinds[key])
        if expected is not None and (
            not isinstance(value, expected[0]) or isinstance(value, bool) != (bool in expected[0])
        ):
            raise DataError(f"{where} {key} is {value!r}, expected {expected[1]}")
    try:
        return kind(**{key: _frozen(value) for key, value in table.items()})
    except TypeError as error:
        raise DataError(f"{where} {error}") from error


def _frozen(value: object) -> object:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
