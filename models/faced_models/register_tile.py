"""Sums that stay in registers, written in LLVM's own language; `winograd_loops.py` is built on them.

Compilers leave sums over arrays in memory, and give up on loops over a dozen arrays. All places, steps and strides are
counted in values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

_FEATURES = llvm.get_host_cpu_features()
FUSED = any(_FEATURES.get(name) for name in ("fma", "neon", "avx512f"))
"""Whether the processor multiplies and adds at once; elsewhere these kernels would call a function for each value."""

_WIDE = bool(_FEATURES.get("avx512f"))
_LANES = 16 if _WIDE else 8
_VECTORS = 3
# With three vectors each they fill the registers: 32 of AVX-512, or 16 of AVX2.
TILE_ROWS = 8 if _WIDE else 4
TILE_COLUMNS = _LANES * _VECTORS

_INDEX = ir.IntType(64)
_FLOAT = ir.FloatType()
_SPOT = types.int64


class _Emitter:
    """Instructions that both kernels need; float vectors of `lanes`, plain floats where that is 1."""

    def __init__(self, target, builder, lanes) -> None:  # noqa: ANN001 - numba's and llvmlite's objects have no types
        self._target, self._builder, self._lanes = target, builder, lanes
        self.kind = ir.VectorType(_FLOAT, lanes) if lanes > 1 else _FLOAT
        name = f"llvm.fma.v{lanes}f32" if lanes > 1 else "llvm.fma.f32"
        known = builder.module.globals
        self._fma = known.get(name) or ir.Function(builder.module, ir.FunctionType(self.kind, [self.kind] * 3), name)

    def load(self, data, place):  # noqa: ANN001, ANN202
        return self._builder.load(self._vector_at(data, place), align=4)

    def store(self, value, data, place) -> None:  # noqa: ANN001
        self._builder.store(value, self._vector_at(data, place), align=4)

    def every(self, single):  # noqa: ANN001, ANN202
        """A vector of one value."""
        if self._lanes == 1:
            return single
        whole = ir.IntType(32)
        undefined = self.kind(ir.Undefined)
        first = self._builder.insert_element(undefined, single, whole(0))
        return self._builder.shuffle_vector(first, undefined, ir.VectorType(whole, self._lanes)([0] * self._lanes))

    def constant(self, value):  # noqa: ANN001, ANN202
        return self.kind([float(value)] * self._lanes) if self._lanes > 1 else self.kind(float(value))

    def fma(self, a, b, c):  # noqa: ANN001, ANN202
        return self._builder.call(self._fma, [a, b, c])

    def _vector_at(self, data, place):  # noqa: ANN001, ANN202
        return self._builder.bitcast(self._builder.gep(data, [place]), self.kind.as_pointer())


def _array(target, builder, kind, value):  # noqa: ANN001, ANN202
    return target.make_array(kind)(target, builder, value)


@intrinsic
def multiply_tile(_context, weights, weights_at, values, values_at, steps, out, out_at, out_stride):  # noqa: ANN001, ANN201, ARG001
    """out[i, j] = sum over s of weights[s, i] * values[steps[s] + j], for TILE_ROWS i and TILE_COLUMNS j."""

    def generate(target, builder, signature, arguments):  # noqa: ANN001, ANN202
        weights, weights_at, values, values_at, steps, out, out_at, out_stride = arguments
        emit = _Emitter(target, builder, _LANES)
        weight_data = _array(target, builder, signature.args[0], weights).data
        value_data = _array(target, builder, signature.args[2], values).data
        step_array = _array(target, builder, signature.args[4], steps)
        out_data = _array(target, builder, signature.args[5], out).data

        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        step = builder.phi(_INDEX)
        step.add_incoming(_INDEX(0), before)
        sums = [[builder.phi(emit.kind) for _ in range(_VECTORS)] for _ in range(TILE_ROWS)]
        source = builder.add(values_at, builder.load(builder.gep(step_array.data, [step])))
        columns = [emit.load(value_data, builder.add(source, _INDEX(j * _LANES))) for j in range(_VECTORS)]
        row_weights = builder.add(weights_at, builder.mul(step, _INDEX(TILE_ROWS)))
        for i, row in enumerate(sums):
            weight = emit.every(builder.load(builder.gep(weight_data, [builder.add(row_weights, _INDEX(i))])))
            for column, total in zip(columns, row, strict=True):
                total.add_incoming(emit.constant(0), before)
                total.add_incoming(emit.fma(weight, column, total), loop)
        following = builder.add(step, _INDEX(1))
        step.add_incoming(following, loop)
        more = builder.icmp_signed("<", following, builder.extract_value(step_array.shape, 0))
        builder.cbranch(more, loop, after)
        builder.position_at_end(after)
        for i, row in enumerate(sums):
            place = builder.add(out_at, builder.mul(out_stride, _INDEX(i)))
            for j, total in enumerate(row):
                emit.store(total.incomings[1][0], out_data, builder.add(place, _INDEX(j * _LANES)))
        return target.get_dummy_value()

    return types.void(weights, _SPOT, values, _SPOT, steps, out, _SPOT, _SPOT), generate


def column_mixer(matrix: NDArray[np.float64], *, rectified: bool = False) -> Callable[..., None]:
    """A kernel: out[i, n] = sum over j of matrix[i, j] * values[places[j] + n], for `count` n.

    `rectified`: plus `shift`, and ReLU.
    """
    rows: Sequence[Sequence[float]] = matrix.tolist()

    @intrinsic
    def mix(_context, values, values_at, places, out, out_at, out_stride, count, shift):  # noqa: ANN001, ANN202, ARG001
        def generate(target, builder, signature, arguments):  # noqa: ANN001, ANN202
            values, values_at, places, out, out_at, out_stride, count, shift = arguments
            value_data = _array(target, builder, signature.args[0], values).data
            place_data = _array(target, builder, signature.args[2], places).data
            out_data = _array(target, builder, signature.args[3], out).data
            sources = [
                builder.add(values_at, builder.load(builder.gep(place_data, [_INDEX(j)]))) for j in range(len(rows[0]))
            ]
            targets = [builder.add(out_at, builder.mul(out_stride, _INDEX(i))) for i in range(len(rows))]
            done = _INDEX(0)
            for lanes in (_LANES, 1):
                emit = _Emitter(target, builder, lanes)
                offset = emit.every(shift)
                before, loop = builder.block, builder.append_basic_block()
                body, after = builder.append_basic_block(), builder.append_basic_block()
                builder.branch(loop)
                builder.position_at_end(loop)
                n = builder.phi(_INDEX)
                n.add_incoming(done, before)
                following = builder.add(n, _INDEX(lanes))
                builder.cbranch(builder.icmp_signed("<=", following, count), body, after)
                builder.position_at_end(body)
                columns = [emit.load(value_data, builder.add(source, n)) for source in sources]
                for place, row in zip(targets, rows, strict=True):
                    total = offset if rectified else emit.constant(0)
                    for factor, column in zip(row, columns, strict=True):
                        if factor:
                            total = emit.fma(emit.constant(factor), column, total)
                    if rectified:
                        positive = builder.fcmp_ordered(">", total, emit.constant(0))
                        total = builder.select(positive, total, emit.constant(0))
                    emit.store(total, out_data, builder.add(place, n))
                n.add_incoming(following, body)
                builder.branch(loop)
                builder.position_at_end(after)
                done = n
            return target.get_dummy_value()

        return types.void(values, _SPOT, places, out, _SPOT, _SPOT, _SPOT, types.float32), generate

    kernel: Callable[..., None] = mix
    return kernel
