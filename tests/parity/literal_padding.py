"""Definitions of the padding modes read literally: loops over pixels in NumPy float64, no code of the package."""

import numpy as np


def source_index(mode, index, length):
    """Where a tap at `index` reads along one axis; None if it reads nothing."""
    if 0 <= index < length:
        return index
    if mode == "reflect":
        return -index if index < 0 else 2 * (length - 1) - index
    if mode == "symmetric":
        return -index - 1 if index < 0 else 2 * length - 1 - index
    if mode in {"replicate", "pp_pad"}:  # new networks predict the nearest pixel
        return 0 if index < 0 else length - 1
    if mode == "circular":
        return index + length if index < 0 else index - length
    return None


def literal_conv2d(mode, x, weight, bias, stride, pad, dilation, groups):
    """Convolution by loops over windows and taps."""
    if mode in FILLS:
        padded = np.stack([[FILLS[mode](channel, pad) for channel in image] for image in x])
        return literal_conv2d("zeros", padded, weight, bias, stride, (0, 0, 0, 0), dilation, groups)
    n, _, h, w = x.shape
    c_out, c_group, k_h, k_w = weight.shape
    left, right, top, bottom = pad
    h_out = (h + top + bottom - dilation[0] * (k_h - 1) - 1) // stride[0] + 1
    w_out = (w + left + right - dilation[1] * (k_w - 1) - 1) // stride[1] + 1
    out = np.zeros((n, c_out, h_out, w_out))
    for i in range(h_out):
        for j in range(w_out):
            covered = 0
            total = np.zeros((n, c_out))
            for a in range(k_h):
                for b in range(k_w):
                    row = source_index(mode, i * stride[0] - top + a * dilation[0], h)
                    column = source_index(mode, j * stride[1] - left + b * dilation[1], w)
                    if row is None or column is None:
                        continue
                    covered += 1
                    for o in range(c_out):
                        first = o // (c_out // groups) * c_group
                        total[:, o] += x[:, first : first + c_group, row, column] @ weight[o, :, a, b]
            if mode == "partial":
                total = total * (k_h * k_w / covered)
            out[:, :, i, j] = total + (0 if bias is None else bias)
    return out


def mean_interp(channel, pad):
    """One channel, padded by local means that are stretched to the padded size."""
    left, right, top, bottom = pad
    (h, w), v, u = channel.shape, 1 + top + bottom, 1 + left + right
    means = np.array([[channel[i : i + v, j : j + u].mean() for j in range(w - u + 1)] for i in range(h - v + 1)])
    out = np.zeros((h + v - 1, w + u - 1))
    for i, j in np.ndindex(out.shape):
        inside = 0 <= i - top < h and 0 <= j - left < w
        out[i, j] = channel[i - top, j - left] if inside else _between(means, i, j, out.shape)
    return out


def _between(means, i, j, size):
    """`means` at the place of pixel (i, j) of an image of `size`, bilinearly, with pixels as areas."""
    weights = []
    for index, short, long in zip((i, j), means.shape, size, strict=True):
        place = min(max((index + 0.5) * short / long - 0.5, 0), short - 1)
        low = int(np.floor(place))
        axis = np.zeros(short)
        axis[low] += 1 - (place - low)
        axis[min(low + 1, short - 1)] += place - low
        weights.append(axis)
    return weights[0] @ means @ weights[1]


def linear_prediction(channel, pad, ridge=1e-5):
    """One channel, continued along rows and then along columns by NumPy's least squares."""
    left, right, top, bottom = pad
    out = np.stack([_continued(row, left, right, _coefficients(channel, ridge)) for row in channel])
    columns = [_continued(column, top, bottom, _coefficients(channel.T, ridge)) for column in out.T]
    return np.stack(columns).T


def _coefficients(rows, ridge):
    """Coefficients of (nearest, second) pixel before the first and behind the last of each of `rows`."""
    return [_solve(rows[:, ::-1], ridge), _solve(rows, ridge)] if rows.shape[1] > 2 else None


def _solve(rows, ridge):
    triples = np.array([row[k : k + 3] for row in rows for k in range(len(row) - 2)])
    level, slope = triples[:, 1], triples[:, 1] - triples[:, 0]
    weight = np.sqrt(ridge * (level**2).sum())
    system = np.concatenate([np.stack([level, slope], 1), weight * np.eye(2)])
    solution = np.linalg.lstsq(system, np.append(triples[:, 2], [0, 0]), rcond=None)[0]
    slope = min(max(solution[1], -1), 1)
    level = min(max(solution[0], -1 - 2 * slope), 1)
    return level + slope, -slope


def _continued(line, before, after, coefficients):
    for direction, count in enumerate((before, after)):
        values = list(line[::-1] if direction == 0 else line)
        for _ in range(count):
            first, second = coefficients[direction]
            values.append(first * values[-1] + second * values[-2])
        line = np.array(values[::-1] if direction == 0 else values)
    return line


def peripheral_prediction(channel, pad, networks):
    """One channel, padded ring by ring; `networks` are hidden and output weights and biases of the four sides."""
    amounts = dict(zip(("left", "right", "top", "bottom"), pad, strict=True))
    for ring in range(max(pad)):
        for k, side in enumerate(amounts):
            if ring < amounts[side]:
                # Each side in turn becomes the top, its pixels still in rising order.
                turned = {"left": channel.T, "right": channel.T[::-1], "top": channel, "bottom": channel[::-1]}[side]
                grown = np.concatenate([_predicted_row(turned, *(part[k] for part in networks))[None], turned])
                channel = {"left": grown.T, "right": grown[::-1].T, "top": grown, "bottom": grown[::-1]}[side]
    return channel


def _predicted_row(image, hidden_weight, hidden_bias, out_weight, out_bias):
    """Row above `image`."""
    last = image.shape[1] - 1
    row = []
    for j in range(last + 1):
        columns = [max(j - 1, 0), j, min(j + 1, last)]
        neighbours = np.array([image[i, column] for i in (0, 1) for column in columns])
        hidden = np.maximum(hidden_weight @ neighbours + hidden_bias, 0)
        row.append(image[0, j] + (out_weight @ hidden + out_bias)[0])
    return np.array(row)


FILLS = {"mean_interp": mean_interp, "linear_prediction": linear_prediction}
