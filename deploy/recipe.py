"""Reads a Dockerfile: only what this project's own uses, and an error for anything else."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

_METADATA = {"EXPOSE", "VOLUME"}


@dataclass
class Stage:
    """One FROM and what follows: `steps` are (instruction, arguments) in their order, the rest is how it is run."""

    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def read_recipe(path: Path) -> dict[str, Stage]:
    """Its stages by name, in their order.

    Raises:
        ValueError: an instruction is none of those that are understood.
    """
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in filter(None, re.sub(r"\\\n\s*", "", text).splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = stages[name] = Stage(name, base)
        elif stage is None:
            raise ValueError(f"{path}: {word} before FROM")
        elif word in ("RUN", "COPY", "WORKDIR", "ENV", "USER"):
            stage.steps.append((word, rest))
        elif word == "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        elif word == "HEALTHCHECK":
            stage.health = json.loads(rest[rest.index("[") :])
        elif word not in _METADATA:
            raise ValueError(f"{path}: {word} is not understood")
    return stages
