"""What a server says of itself."""

from collections.abc import Iterable

from faced_proto.convert.analysis import engine_from_proto, engine_to_proto
from faced_proto.convert.enums import enum_from_proto, enum_to_proto
from faced_proto.convert.errors import ConvertError
from faced_proto.convert.faces import axis_from_proto, axis_to_proto
from faced_proto.types import Axis, Limits, ModelInfo, ModelRole, ServerInfo
from faced_proto.v1 import service_pb2

_LIMITS = ("max_message_bytes", "max_pixels", "max_upscaled_pixels", "max_detect_pixels")


def axes_of(models: Iterable[ModelInfo]) -> dict[str, Axis]:
    """Axis by attribute, for the models that have one."""
    return {model.attribute: model.axis for model in models if model.axis is not None}


def model_info_to_proto(model: ModelInfo) -> service_pb2.ModelInfo:
    """A network, or what is derived from one."""
    return service_pb2.ModelInfo(
        model_id=model.model,
        role=enum_to_proto(model.role),
        attribute=model.attribute,
        axis=None if model.axis is None else axis_to_proto(model.axis),
        calibrated=model.calibrated,
        licence=model.licence,
        input_size=model.input_size,
    )


def model_info_from_proto(message: service_pb2.ModelInfo, path: str = "model") -> ModelInfo:
    """A network, or what is derived from one.

    Raises:
        ConvertError: the role is unset or unknown, or the axis is empty.
    """
    return ModelInfo(
        model=message.model_id,
        role=enum_from_proto(ModelRole, message.role, f"{path}.role"),
        attribute=message.attribute,
        axis=axis_from_proto(message.axis, f"{path}.axis") if message.HasField("axis") else None,
        calibrated=message.calibrated,
        licence=message.licence,
        input_size=message.input_size,
    )


def server_info_to_proto(info: ServerInfo) -> service_pb2.GetServerInfoResponse:
    """Models, limits and device."""
    return service_pb2.GetServerInfoResponse(
        version=info.version,
        engine=engine_to_proto(info.engine),
        models=[model_info_to_proto(model) for model in info.models],
        attributes=info.attributes,
        limits=service_pb2.Limits(**{field: getattr(info.limits, field) for field in _LIMITS}),
        notices=info.notices,
    )


def server_info_from_proto(message: service_pb2.GetServerInfoResponse, path: str = "server_info") -> ServerInfo:
    """Models, limits and device.

    Raises:
        ConvertError: engine or limits are missing, or something is unknown here.
    """
    for part in ("engine", "limits"):
        if not message.HasField(part):
            raise ConvertError(f"{path}.{part}", "missing")
    return ServerInfo(
        version=message.version,
        engine=engine_from_proto(message.engine, f"{path}.engine"),
        models=tuple(model_info_from_proto(model, f"{path}.models[{i}]") for i, model in enumerate(message.models)),
        attributes=tuple(message.attributes),
        limits=Limits(**{field: getattr(message.limits, field) for field in _LIMITS}),
        notices=tuple(message.notices),
    )
