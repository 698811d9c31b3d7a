"""dlib's five-point landmark cascade (Kazemi and Sullivan, CVPR 2014) from its .dat to an archive of arrays.

The layout is that of dlib/image_processing/shape_predictor.h, version 1.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from faced_models.convert.dlib_stream import DlibStream
from faced_models.landmark_cascade import LandmarkCascade

_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Tree:
    first: tuple[int, ...]
    second: tuple[int, ...]
    thresholds: tuple[float, ...]
    leaves: tuple[NDArray[np.float32], ...]


def read_cascade(data: bytes, name: str) -> LandmarkCascade:
    """Read a shape_predictor .dat whose trees are all of one depth.

    Raises:
        WeightsError: the bytes are no such cascade, or some are left over.
    """
    stream = DlibStream(data, name)
    stream.version(1)
    initial = stream.matrix().reshape(-1, 2)
    forests = [[_tree(stream) for _ in range(stream.count())] for _ in range(stream.count())]
    anchors = [[stream.count() for _ in range(stream.count())] for _ in range(stream.count())]
    deltas = [[(stream.real(), stream.real()) for _ in range(stream.count())] for _ in range(stream.count())]
    stream.end()
    if not forests or not len(forests) == len(anchors) == len(deltas):
        raise stream.unexpected(f"{len(forests)} levels of trees, {len(anchors)} of anchors, {len(deltas)} of deltas")
    try:
        cascade = LandmarkCascade(
            initial_shape=initial,
            anchors=np.array(anchors, np.uint8),
            deltas=np.array(deltas, np.float32),
            split_first=np.array([[tree.first for tree in level] for level in forests], np.uint16),
            split_second=np.array([[tree.second for tree in level] for level in forests], np.uint16),
            thresholds=np.array([[tree.thresholds for tree in level] for level in forests], np.float32),
            leaves=np.array([[tree.leaves for tree in level] for level in forests], np.float32).reshape(
                len(forests), len(forests[0]), -1, *initial.shape
            ),
        )
    except (ValueError, OverflowError) as error:
        raise stream.unexpected(f"levels or trees of different sizes: {error}") from error
    features = cascade.anchors.shape[1]
    if cascade.deltas.shape[:2] != cascade.anchors.shape:
        raise stream.unexpected(f"{cascade.deltas.shape} deltas for {cascade.anchors.shape} anchors")
    if cascade.leaves.shape[2] != cascade.thresholds.shape[2] + 1 or cascade.anchors.max() >= len(initial):
        raise stream.unexpected("trees or anchors that do not fit together")
    if max(cascade.split_first.max(), cascade.split_second.max()) >= features:
        raise stream.unexpected(f"a split on a feature beyond the {features} of its level")
    return cascade


def cascade_archive(cascade: LandmarkCascade) -> bytes:
    """An .npz, uncompressed, with a fixed date: the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for field in fields(cascade):
            array = io.BytesIO()
            np.lib.format.write_array(array, getattr(cascade, field.name), version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{field.name}.npy", date_time=_DATE)
            # Without this the entry would name the system that wrote it.
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, array.getvalue())
    return out.getvalue()


def _tree(stream: DlibStream) -> _Tree:
    splits = [(stream.count(), stream.count(), stream.real()) for _ in range(stream.count())]
    leaves = tuple(stream.matrix().reshape(-1) for _ in range(stream.count()))
    return _Tree(tuple(s[0] for s in splits), tuple(s[1] for s in splits), tuple(s[2] for s in splits), leaves)
