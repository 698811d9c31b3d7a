"""Files as dlib writes them (dlib/serialize.h), and its face recognition network with weights of one's own."""

import math
from collections.abc import Sequence

import numpy as np

from faced_models.convert.dlib_resnet import BLOCKS

_EMBEDDING = 128


def integer(value: int) -> bytes:
    raw = abs(value).to_bytes(max(1, (abs(value).bit_length() + 7) // 8), "little")
    return bytes([len(raw) | (0x80 if value < 0 else 0)]) + raw


def integers(*values: int) -> bytes:
    return b"".join(integer(value) for value in values)


def real(value: float) -> bytes:
    mantissa, exponent = math.frexp(value)
    return integers(int(mantissa * 2**53), exponent - 53)


def text(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def tensor(values: np.ndarray) -> bytes:
    return integers(2, *values.shape) + values.astype("<f4").tobytes()


def face_resnet_file(seed: int = 0, means: Sequence[float] = (120.0, 110.0, 100.0)) -> bytes:
    """dlib_face_recognition_resnet_model_v1.dat with random weights that keep values about as large."""
    random = np.random.default_rng(seed)
    layers, versions = [], []

    def add(*parts: bytes) -> None:
        versions.append(2)
        layers.append(b"".join(parts) + b"110" + 3 * tensor(np.zeros((0, 0, 0, 0))))

    def convolution(width_in: int, width: int, side: int, stride: int, padding: int) -> None:
        weights = random.normal(0, math.sqrt(2 / (width_in * side**2)), (width, width_in, side, side))
        biases = random.normal(0, 0.1, width)
        add(
            text("con_4"),
            tensor(np.concatenate((weights.ravel(), biases)).reshape(-1, 1, 1, 1)),
            integers(width, side, side, stride, stride, padding, padding),
            integers(1, *weights.shape, 1, 1, width, 1, 1),
            4 * real(1.0),
        )
        scales = np.concatenate((random.uniform(0.5, 1.0, width), random.normal(0, 0.1, width)))
        views = 2 * integers(1, 1, width, 1, 1)
        add(text("affine_"), tensor(scales.reshape(-1, 1, 1, 1)), views, integer(0))

    def relu() -> None:
        add(text("relu_"))

    before = BLOCKS[0][0]
    convolution(3, before, 7, 2, 0)
    relu()
    add(text("max_pool_2"), integers(3, 3, 2, 2, 0, 0))
    for stage, (width, count) in enumerate(BLOCKS):
        for block in range(count):
            halves = stage > 0 and not block
            versions.append(1)
            convolution(before, width, 3, 2 if halves else 1, 0 if halves else 1)
            relu()
            convolution(width, width, 3, 1, 1)
            if halves:
                versions += [1, 1]
                add(text("avg_pool_2"), integers(2, 2, 2, 2, 0, 0))
            add(text("add_prev_"))
            relu()
            before = width
    add(text("avg_pool_2"), integers(0, 0, 1, 1, 0, 0))
    matrix = random.normal(0, math.sqrt(1 / before), (before, _EMBEDDING, 1, 1))
    views = integers(1, *matrix.shape, 1, 0, 0, 0, 0)
    add(text("fc_2"), integers(_EMBEDDING, before), tensor(matrix), views, integer(1), 4 * real(1.0))
    source = text("input_rgb_image_sized") + b"".join(real(mean) for mean in means) + integers(150, 150)
    loss = integer(1) + text("loss_metric_2") + real(0.04) + real(0.6)
    return loss + integers(*reversed(versions)) + source + b"".join(layers)


def embedding_matrix(file: bytes) -> np.ndarray:
    """float32 [256, 128], what the network's mean over the picture is multiplied by."""
    start = file.rindex(text("fc_2")) + len(text("fc_2") + integers(_EMBEDDING, 256, 2, 256, _EMBEDDING, 1, 1))
    return np.frombuffer(file, "<f4", 256 * _EMBEDDING, start).reshape(256, _EMBEDDING)
