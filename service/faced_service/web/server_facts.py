"""What `GET /v1/info` says, of which the page makes its settings."""

from __future__ import annotations

from faced_proto.json_values import JsonObject
from faced_proto.types import Categories, IntegerBins, ModelInfo, ServerInfo
from faced_service.settings import Settings
from faced_service.web.documents import document_names


def server_facts(info: ServerInfo, settings: Settings) -> JsonObject:
    """Version, engine, networks, limits."""
    return {
        "version": info.version,
        "device": info.engine.device,
        "backend": info.engine.backend,
        "precision": info.engine.precision.value,
        "attributes": list(info.attributes),
        "models": [_model(model) for model in info.models],
        "notices": list(info.notices),
        "limits": {
            "max_message_bytes": info.limits.max_message_bytes,
            "max_pixels": info.limits.max_pixels,
            "max_upscaled_pixels": info.limits.max_upscaled_pixels,
            "max_detect_pixels": info.limits.max_detect_pixels,
            "stream_credits": settings.stream_credits,
        },
        "documents": {f"/about/{path}": title for path, title in document_names().items()},
    }


def _model(model: ModelInfo) -> JsonObject:
    facts: JsonObject = {
        "model": model.model,
        "role": model.role.value,
        "attribute": model.attribute,
        "calibrated": model.calibrated,
        "licence": model.licence,
    }
    match model.axis:
        case Categories(labels):
            facts["labels"] = list(labels)
        case IntegerBins(first, width, last_open, count):
            facts["bins"] = {"first": first, "width": width, "last_open": last_open, "count": count}
    return facts
