"""Backward warping: out(x) = source(x + flow(x)).

To move a frame from time a to time b one needs the flow that lives on the grid of b and points to a. Pixel centres
have integer coordinates; the grid runs from the centre of the top left pixel, (0, 0).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Flow = NDArray[np.float32]


def sampling_map(flow: Flow) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row, in pixels, that each pixel samples from: made once for image and label."""
    height, width = flow.shape[1:]
    columns = flow[0] + np.arange(width, dtype=np.float32)
    rows = flow[1] + np.arange(height, dtype=np.float32)[:, None]
    return columns, rows


def in_frame(columns: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether the nearest pixel of a sampling position lies in the image."""
    height, width = columns.shape
    return (columns >= -0.5) & (columns < width - 0.5) & (rows >= -0.5) & (rows < height - 0.5)


def warp_image(image: NDArray[np.uint8], columns: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Bilinear samples of `image` (h w 3); positions outside take the nearest border pixel.

    With float maps OpenCV 5 gives the exact value, rounded. Its fixed-point maps would take a third less time, but
    sample in steps of 1/32 pixel: up to four grey levels off on CamVid.
    """
    return cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def warp_label(label: NDArray[np.uint8], columns: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Nearest samples of `label` (h w): pixel floor(x + 0.5); positions outside take the nearest border pixel.

    OpenCV alone would round halves to even, and so sample some pixels twice and skip their neighbours.
    """
    nearest_columns, nearest_rows = np.floor(columns + 0.5), np.floor(rows + 0.5)
    return cv2.remap(label, nearest_columns, nearest_rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def sample_flow(flow: Flow, columns: NDArray[np.float32], rows: NDArray[np.float32]) -> Flow:
    """Bilinear samples of `flow` (2 h w); positions outside take the nearest border pixel.

    One channel at a time: over interleaved channels OpenCV samples in steps of 1/32 pixel and takes longer.
    """
    u, v = (cv2.remap(part, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in flow)
    return np.stack([u, v])
