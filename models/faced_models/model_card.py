"""What a network's card tells beside figures; `faced cards` writes the page."""

from __future__ import annotations

from dataclasses import dataclass

from faced_models.toml_table import TomlTable


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Sentences for people: where weights and training data come from, and what the network is for and not for."""

    title: str
    authors: str
    origin: str
    method: str
    training_data: str
    training_licence: str
    intended_use: tuple[str, ...]
    not_for: tuple[str, ...]
    known_failures: tuple[str, ...]


def read_card(table: TomlTable) -> ModelCard:
    """A manifest's `card`.

    Raises:
        WeightsError: a field is missing or wrong.
    """
    card = ModelCard(
        title=table.text("title"),
        authors=table.text("authors"),
        origin=table.text("origin"),
        method=table.text("method"),
        training_data=table.text("training_data"),
        training_licence=table.text("training_licence"),
        intended_use=table.texts("intended_use", least=1),
        not_for=table.texts("not_for", least=1),
        known_failures=table.texts("known_failures", least=1),
    )
    table.end()
    return card
