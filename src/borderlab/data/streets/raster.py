"""Visibility: which quad, and which of its texels, each sample of a frame shows.

Samples lie half a pixel apart, from -0.5 to size - 0.5, so that every pixel centre is a sample (`CENTRES`) and colour
can be averaged over the pixel's surroundings while labels, depth and flow belong to the exact centre.

A quad covers one span of samples in each row. The spans of all quads are found at once and filled in a few batches,
the nearest quads first, so that most of what is hidden is dropped before its texture is looked up. The depth of every
sample decides: the order changes time and not results.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.atlas import Atlas
from borderlab.data.streets.quads import Pose, QuadTable

CENTRES = (slice(1, None, 2), slice(1, None, 2))

_NEAR_M = 0.4
_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
_BATCH_SAMPLES = 48_000
# A texel spans about a sample: the averaging of samples does the rest.
_LEVEL_BIAS = 1
_FLOAT32_EXPONENT_BIAS = 127
_FLOAT32_MANTISSA_BITS = 23
_BELOW_ONE = np.float32(1 - 2**-20)


class Visibility(NamedTuple):
    """Samples (2 h + 1, 2 w + 1): index of the quad, texel address, and 1 / depth in 1/m."""

    quad: NDArray[np.int16]
    texel: NDArray[np.int32]
    inverse_depth: NDArray[np.float32]


class TextureTable(NamedTuple):
    """Texture of each quad: (n, levels) first address, rows and columns; (n,) last level, repetitions along v."""

    first: NDArray[np.int32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    last_level: NDArray[np.int32]
    repeat: NDArray[np.float32]
    opaque: NDArray[np.bool_]


class _Spans(NamedTuple):
    """Runs of samples in a row, all (spans,): quad, flat index of the first sample, length, and linear functions.

    `start` (3, spans) is (u, v, 1) / depth at the first sample, `step` (3, spans) its change per sample; `texels` is
    the area of a pixel at depth 1, in texels of the finest level.
    """

    quad: NDArray[np.intp]
    first: NDArray[np.int32]
    length: NDArray[np.int32]
    start: NDArray[np.float32]
    step: NDArray[np.float32]
    texels: NDArray[np.float32]


def texture_table(table: QuadTable, atlas: Atlas) -> TextureTable:
    """Look up the textures of all quads; beyond a texture's last level that level is repeated."""
    pages = [atlas.pages[name] for name in table.pages]
    last = np.array([len(page.first) - 1 for page in pages], np.int32)
    levels = np.minimum(np.arange(last.max() + 1), last[:, None])
    first, rows, columns = (
        np.stack([getattr(page, name)[chosen] for page, chosen in zip(pages, levels, strict=True)])
        for name in ("first", "rows", "columns")
    )
    return TextureTable(first, rows, columns, last, table.repeat.astype(np.float32), atlas.opaque)


def rasterise(textures: TextureTable, pose: Pose, size: tuple[int, int]) -> Visibility:
    """Find the nearest opaque texel at each sample of a frame of `size` (height, width)."""
    shape = (2 * size[0] + 1, 2 * size[1] + 1)
    seen = Visibility(np.zeros(shape, np.int16), np.zeros(shape, np.int32), np.zeros(shape, np.float32))
    for batch in _batches(_find_spans(textures, pose, shape)):
        _fill(seen, batch, textures)
    return seen


def _batches(spans: _Spans) -> Iterator[_Spans]:
    """Split spans into runs of about `_BATCH_SAMPLES` samples."""
    batch = (np.cumsum(spans.length) - 1) // _BATCH_SAMPLES
    ends = [*np.flatnonzero(np.diff(batch)) + 1, len(batch)]
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        part = slice(begin, end)
        yield _Spans(
            spans.quad[part],
            spans.first[part],
            spans.length[part],
            spans.start[:, part],
            spans.step[:, part],
            spans.texels[part],
        )


def _fill(seen: Visibility, spans: _Spans, textures: TextureTable) -> None:
    """Fill spans with those of their samples that are opaque and the nearest so far."""
    length = spans.length
    along = np.arange(length.sum(), dtype=np.int32)
    along -= np.repeat(np.cumsum(length, dtype=np.int32) - length, length)
    sample = (np.repeat(spans.first, length) + along).astype(np.intp)
    w = np.repeat(spans.start[2], length) + np.repeat(spans.step[2], length) * along.astype(np.float32)
    nearer = np.flatnonzero(w > seen.inverse_depth.ravel().take(sample))
    span = np.repeat(np.arange(length.size), length).take(nearer)
    sample, w = sample.take(nearer), w.take(nearer)
    texel = _texels(spans, span, along.take(nearer), w, textures)
    opaque = np.flatnonzero(textures.opaque.take(texel))
    _write(seen, sample.take(opaque), w.take(opaque), texel.take(opaque), spans.quad.take(span.take(opaque)))


def _texels(
    spans: _Spans,
    span: NDArray[np.intp],
    along: NDArray[np.int32],
    w: NDArray[np.float32],
    textures: TextureTable,
) -> NDArray[np.intp]:
    """Texel address of samples that lie `along` samples from the start of a `span`, with 1 / depth `w`."""
    depth = np.float32(1) / w
    offset = along.astype(np.float32)
    u, v = ((spans.start[axis].take(span) + spans.step[axis].take(span) * offset) * depth for axis in (0, 1))
    np.clip(u, 0, _BELOW_ONE, out=u)
    np.clip(v, 0, _BELOW_ONE, out=v)
    quad = spans.quad.take(span)
    v *= textures.repeat.take(quad)
    v -= np.floor(v)
    area: NDArray[np.float32] = spans.texels.take(span) * (depth * depth * depth)
    level = (_log2(area) - _LEVEL_BIAS) >> 1
    np.clip(level, 0, textures.last_level.take(quad), out=level)
    entry = quad * textures.first.shape[1] + level
    columns = textures.columns.take(entry)
    row = (v * textures.rows.take(entry).astype(np.float32)).astype(np.int32)
    column = (u * columns.astype(np.float32)).astype(np.int32)
    texel: NDArray[np.int32] = textures.first.take(entry) + row * columns + column
    return texel.astype(np.intp)


def _write(
    seen: Visibility,
    sample: NDArray[np.intp],
    w: NDArray[np.float32],
    texel: NDArray[np.intp],
    quad: NDArray[np.intp],
) -> None:
    """Write samples; where several fall on one place the nearest stays."""
    depths = seen.inverse_depth.ravel()
    np.maximum.at(depths, sample, w)
    won = np.flatnonzero(depths.take(sample) == w)
    sample = sample.take(won)
    seen.texel.ravel()[sample] = texel.take(won)
    seen.quad.ravel()[sample] = quad.take(won)


def _log2(value: NDArray[np.float32]) -> NDArray[np.int32]:
    """Whole part of the binary logarithm of positive numbers, read from their exponents."""
    return (value.view(np.int32) >> _FLOAT32_MANTISSA_BITS) - _FLOAT32_EXPONENT_BIAS


def _find_spans(textures: TextureTable, pose: Pose, shape: tuple[int, int]) -> _Spans:
    """Spans of all visible quads, in the order of their nearest points."""
    top, bottom, nearest = _extents(pose, shape[0])
    chosen = np.argsort(-nearest, kind="stable")[: np.count_nonzero(nearest)]
    to_quad = _per_sample(pose.to_quad[chosen])
    rows = (bottom - top)[chosen]
    owner = np.repeat(np.arange(chosen.size), rows)
    row = np.arange(owner.size) - np.repeat(np.cumsum(rows) - rows, rows) + top[chosen].take(owner)
    left, right = _span_ends(_inequalities(to_quad), owner, row, shape[1])
    full = np.flatnonzero(right > left)
    owner, row, left, right = owner[full], row[full], left[full], right[full]
    planes = to_quad[owner]
    start = planes[:, :, 0] * left[:, None] + planes[:, :, 1] * row[:, None] + planes[:, :, 2]
    return _Spans(
        chosen[owner],
        (row * shape[1] + left).astype(np.int32),
        (right - left).astype(np.int32),
        np.ascontiguousarray(start.T.astype(np.float32)),
        np.ascontiguousarray(planes[:, :, 0].T.astype(np.float32)),
        _texel_area(pose.to_quad, textures).astype(np.float32)[chosen[owner]],
    )


def _per_sample(to_quad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices (n, 3, 3) that take indices of samples (column, row, 1) in place of pixels: x = (column - 1) / 2."""
    x, y, constant = to_quad[:, :, 0] / 2, to_quad[:, :, 1] / 2, to_quad[:, :, 2]
    return np.stack([x, y, constant - x - y], axis=2)


def _inequalities(to_quad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear functions (5, n, 3) that are not negative inside a quad: at u = 0, 1, v = 0, 1 and the near plane."""
    u, v, w = to_quad[:, 0], to_quad[:, 1], to_quad[:, 2]
    return np.stack([u, w - u, v, w - v, np.array([0, 0, 1 / _NEAR_M]) - w])


def _span_ends(
    inequalities: NDArray[np.float64], owner: NDArray[np.intp], row: NDArray[np.intp], columns: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First sample and end (exclusive) of the span in each row."""
    left, right = np.zeros(row.size), np.full(row.size, columns - 1.0)
    for slope, down, constant in inequalities.transpose(0, 2, 1):
        a = slope.take(owner)
        rest = down.take(owner) * row + constant.take(owner)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = -rest / a
        np.maximum(left, crossing, out=left, where=a > 0)
        np.minimum(right, crossing, out=right, where=a < 0)
        right[(a == 0) & (rest < 0)] = -1
    left = np.clip(np.ceil(left), 0, columns)
    right = np.clip(np.floor(right) + 1, 0, columns)
    return left.astype(np.intp), right.astype(np.intp)


def _texel_area(m: NDArray[np.float64], textures: TextureTable) -> NDArray[np.float64]:
    """Texels of the finest level under a pixel at depth 1 (n,): the determinant is its area in u and v."""
    determinant = (
        m[:, 0, 0] * (m[:, 1, 1] * m[:, 2, 2] - m[:, 1, 2] * m[:, 2, 1])
        - m[:, 0, 1] * (m[:, 1, 0] * m[:, 2, 2] - m[:, 1, 2] * m[:, 2, 0])
        + m[:, 0, 2] * (m[:, 1, 0] * m[:, 2, 1] - m[:, 1, 1] * m[:, 2, 0])
    )
    texels = textures.rows[:, 0] * textures.columns[:, 0] * textures.repeat.astype(np.float64)
    return np.abs(determinant) * texels


def _extents(pose: Pose, rows: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """First and end row of samples, and greatest 1 / depth (0 where unseen), of all quads (n,).

    Edges are cut at the near plane before projection.
    """
    ends = (
        pose.to_screen[:, None, 1:, 0] * _CORNERS[None, :, 0, None]
        + pose.to_screen[:, None, 1:, 1] * _CORNERS[None, :, 1, None]
        + pose.to_screen[:, None, 1:, 2]
    )
    starts = ends[:, [3, 0, 1, 2]]
    points = np.concatenate([_cut(starts, ends), _cut(ends, starts)], axis=1)
    depth = points[..., 1]
    real = depth >= _NEAR_M * 0.999
    y = points[..., 0] / np.where(real, depth, 1.0)
    top = np.floor(np.where(real, y, np.inf).min(axis=1) * 2 + 1)
    bottom = np.ceil(np.where(real, y, -np.inf).max(axis=1) * 2 + 2)
    top, bottom = np.clip(top, 0, rows), np.clip(bottom, 0, rows)
    nearest = 1 / np.where(real, depth, np.inf).min(axis=1)
    return top.astype(np.intp), bottom.astype(np.intp), np.where(pose.visible & (bottom > top), nearest, 0)


def _cut(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends of edges (y * depth, depth), moved to the near plane where they lie behind it and their starts do not."""
    reach = starts[..., 1] - ends[..., 1]
    crossing = (ends[..., 1] < _NEAR_M) & (starts[..., 1] > _NEAR_M)
    share = np.where(crossing, (starts[..., 1] - _NEAR_M) / np.where(crossing, reach, 1.0), 1.0)
    return starts + (ends - starts) * share[..., None]
