import gzip

import cv2
import numpy as np
import pytest

HEADER = "emotion,pixels,Usage"


def pixels(seed):
    return " ".join(map(str, np.random.default_rng(seed).integers(0, 256, 48 * 48)))


@pytest.fixture
def fer_rows():
    """Eight rows: two Training, six PublicTest; labels 0, 1, 2, 3, 4, 5, 6, 3."""
    labels = (0, 1, 2, 3, 4, 5, 6, 3)
    return [f"{label},{pixels(i)},{'Training' if i < 2 else 'PublicTest'}" for i, label in enumerate(labels)]


@pytest.fixture
def fer_csv(tmp_path):
    def write(rows, header=HEADER, name="fer2013.csv"):
        path = tmp_path / name
        data = "\n".join([header, *rows, ""]).encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def jpeg(seed=0, side=64):
    picture = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()
