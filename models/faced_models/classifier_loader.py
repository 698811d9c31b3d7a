"""A manifest entry to an attribute network that is ready to run and proved to fit."""

from __future__ import annotations

import numpy as np

from faced_models.adapted_session import AdaptedSession
from faced_models.classifier import Classifier
from faced_models.errors import WeightsError
from faced_models.input_format import InputFormat
from faced_models.network_entry import NetworkEntry
from faced_models.network_fit import misfits, run_misfits, trial_faces, value_misfits
from faced_models.ort_session import OrtSession
from faced_models.store import verified_path
from faced_proto.types import ModelInfo, ModelRole


def load_classifier(
    entry: NetworkEntry, *, device: str, threads: int, gpu_memory_bytes: int | None = None
) -> Classifier:
    """The network of an attribute.

    Raises:
        WeightsError: the weights are missing or altered, no network, or not what the entry says; names everything.
        DeviceError: the device cannot be used.
    """
    if entry.input is None or entry.crop is None or entry.axis is None:
        raise entry.wrong("it describes no attribute")
    path = verified_path(entry)
    try:
        session = OrtSession(
            path, device=device, threads=threads, gpu_memory_bytes=gpu_memory_bytes, output=entry.output
        )
    except WeightsError as error:
        raise entry.wrong(str(error)) from error
    signature = session.signature
    found = misfits(entry, signature)
    if not found:
        (given,) = signature.inputs
        adapted = AdaptedSession(
            session,
            dtype=given.dtype,
            layout=entry.input.layout,
            activation=entry.activation,
            one_by_one=given.shape[0] == 1,
        )
        means, scales = (np.array(values, np.float32) for values in (entry.input.mean, entry.input.scale))
        input_format = InputFormat(entry.input.colour, means, scales)
        classifier = Classifier(
            session=adapted,
            recipe=entry.crop,
            input_format=input_format,
            axis=entry.axis,
            info=model_info(entry),
            oversample=entry.oversample,
            calibration=entry.calibration,
        )
        found = run_misfits(entry, classifier) or value_misfits(
            entry, adapted.values(input_format.prepare(trial_faces(entry.input.size)))
        )
        if not found:
            return classifier
    raise entry.wrong(f"{path.name} does not fit: {'; '.join(found)}")


def model_info(entry: NetworkEntry) -> ModelInfo:
    """What callers are told of a network."""
    return ModelInfo(
        model=entry.model_id,
        role=entry.role,
        attribute=entry.attribute if entry.role is ModelRole.ATTRIBUTE else "",
        axis=entry.axis,
        calibrated=entry.calibrated,
        licence=entry.licence,
        input_size=entry.input_size,
    )
