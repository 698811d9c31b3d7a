"""Loops of our own against ONNX Runtime, on networks with random weights."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from faced_models.convert.onnx_graph import OnnxGraph
from faced_models.convert.onnx_split import split_network
from faced_models.errors import OutOfMemory
from faced_models.kernels import load_kernels
from faced_models.ort_session import OrtSession
from faced_models.team import Team
from faced_models.winograd import WinogradLayer
from faced_models.winograd_session import WinogradSession

RNG = np.random.default_rng(3)
MMOD_LIKE = ((16, 2), (32, 2), (32, 2), (45, 1), (45, 1))


def network(layers, channels=3):
    graph, name = OnnxGraph("random"), "images"
    for index, (outputs, stride) in enumerate(layers):
        weights = RNG.normal(0, (channels * 12) ** -0.5, (outputs, channels, 5, 5)).astype(np.float32)
        pads = (2, 2, 2, 2) if stride == 1 else (0, 0, 0, 0)
        bias = RNG.normal(0, 0.3, outputs).astype(np.float32)
        name = graph.convolution(f"conv{index}", name, weights, bias, strides=(stride, stride), pads=pads)
        name, channels = graph.node("Relu", f"relu{index}", [name]), outputs
    last = RNG.normal(0, 0.1, (1, channels, 3, 3)).astype(np.float32)
    graph.convolution("scores", name, last, None, pads=(1, 1, 1, 1))
    return graph.finish("images", ["N", 3, "H", "W"], "scores", ["N", 1, "h", "w"])


def ours(model, threads, kernels=None):
    kernels = kernels or load_kernels()
    parts = split_network(model)
    layers = [WinogradLayer.of(part.weights, part.bias, part.stride, kernels.tile_rows) for part in parts.layers]
    tail = OrtSession(parts.tail, device="cpu", threads=threads)
    return WinogradSession("random", layers, tail, kernels, Team(threads))


def images(*shape):
    return RNG.uniform(-0.5, 0.5, shape).astype(np.float32)


def same(session, model, batch):
    expected = OrtSession(model, device="cpu", threads=1).run(batch)
    result = session.run(batch)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, atol=2e-5)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    "shape",
    [(1, 3, 29, 29), (1, 3, 29, 300), (1, 3, 500, 30), (2, 3, 61, 93), (1, 3, 203, 118), (1, 3, 96, 2000)],
)
def test_pictures_of_any_size_give_the_scores_of_the_plain_network(threads, shape):
    model = network(MMOD_LIKE)
    same(ours(model, threads), model, images(*shape))


@pytest.mark.parametrize("width", range(60, 76))
def test_every_width_modulo_sixteen_has_its_right_edge(width):
    model = network(((6, 2), (7, 2), (5, 1)))
    same(ours(model, 2), model, images(1, 3, 41, width))


@pytest.mark.parametrize("layers", [((8, 2),), ((8, 2), (9, 2), (3, 2), (4, 2)), ((5, 2), (4, 1), (13, 1), (2, 1))])
def test_other_depths_and_channels(layers):
    model = network(layers)
    same(ours(model, 2), model, images(1, 3, 130, 111))


def test_sizes_may_alternate_and_callers_may_come_at_once():
    model = network(MMOD_LIKE)
    session = ours(model, 2)
    batches = [images(1, 3, 60 + 37 * i, 250 - 41 * i) for i in range(4)] * 4
    expected = [OrtSession(model, device="cpu", threads=1).run(batch) for batch in batches]
    with ThreadPoolExecutor(4) as callers:
        for result, wanted in zip(callers.map(session.run, batches), expected, strict=True):
            np.testing.assert_allclose(result, wanted, atol=2e-5)


def test_what_memory_held_before_reaches_no_score(monkeypatch):
    model = network(MMOD_LIKE)
    session, batch = ours(model, 2), images(1, 3, 83, 97)
    empty = np.empty
    for allocate in ("empty", "zeros"):
        monkeypatch.setattr(np, allocate, lambda *a, **k: _poisoned(empty(*a, **k)))
    same(session, model, batch)


def _poisoned(array):
    array.fill(np.nan)
    return array


def test_memory_that_cannot_be_had_is_said_so_and_the_next_run_works():
    model, kernels = network(MMOD_LIKE), load_kernels()
    wishes = iter([MemoryError("no more")])

    def short(*arguments):
        for error in wishes:
            raise error
        kernels.convolve(*arguments)

    session, batch = ours(model, 1, replace(kernels, convolve=short)), images(1, 3, 40, 40)
    with pytest.raises(OutOfMemory, match=r"random failed on input \(1, 3, 40, 40\): no more"):
        session.run(batch)
    same(session, model, batch)
