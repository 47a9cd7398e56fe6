"""Prediction by scales, mirror images and windows."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from borderlab.data.batch import Normalisation
from borderlab.evaluation.inference import Inference, window_starts
from borderlab.spec import EvaluationSpec
from memory_count import peak_bytes

CPU = torch.device("cpu")
NORMALISATION = Normalisation((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


class Pointwise(nn.Module):
    """Each pixel by itself: what surrounds it, and how it was cut out, cannot change its logits."""

    def __init__(self, n_classes=4):
        super().__init__()
        torch.manual_seed(0)
        self.mix = nn.Conv2d(3, n_classes, 1)

    def forward(self, image):
        return self.mix(image)


class Context(nn.Module):
    """A window of 5 x 5 pixels decides: the edge of a window shows."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.mix = nn.Conv2d(3, 3, 5, padding=2)

    def forward(self, image):
        return self.mix(image)


def infer(model, image, precision="float32", **options):
    n_classes = model.mix.out_channels
    return Inference(model, NORMALISATION, EvaluationSpec(**options), n_classes, CPU, precision).predict(image)


def noise(*size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def plain(model, image):
    with torch.no_grad():
        return model(NORMALISATION(torch.from_numpy(image[None])))[0]


def test_plain_view_is_the_network_itself():
    image = noise(13, 17)
    np.testing.assert_array_equal(infer(Context(), image), plain(Context(), image).argmax(0))


@pytest.mark.parametrize("window", [(8, 8), (5, 16), (30, 40), (13, 7)])
@pytest.mark.parametrize("overlap", [0.0, 1 / 3, 0.7])
@pytest.mark.parametrize("flip", [False, True])
def test_windows_change_nothing_where_only_the_pixel_itself_counts(window, overlap, flip):
    image = noise(29, 61)
    pred = infer(Pointwise(), image, window=window, overlap=overlap, flip=flip)
    np.testing.assert_array_equal(pred, plain(Pointwise(), image).argmax(0))


def literal(model, image, window, overlap, flip):
    """The definition read as it stands, at the image's own scale: whole arrays of sums and counts."""
    height, width = image.shape[:2]
    h, w = (min(side, seen) for side, seen in zip((height, width), window, strict=True))
    sums, counts = torch.zeros(3, height, width), torch.zeros(height, width)
    for top in window_starts(height, h, overlap):
        for left in window_starts(width, w, overlap):
            part = image[top : top + h, left : left + w]
            seen = NORMALISATION(torch.from_numpy(part[None].copy()))
            with torch.no_grad():
                logits = model(seen)
                if flip:
                    logits = (logits + model(seen.flip(3)).flip(3)) / 2
            sums[:, top : top + h, left : left + w] += logits[0]
            counts[top : top + h, left : left + w] += 1
    return (sums / counts).argmax(0)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", [(40, 33), (17, 90), (12, 12)])
def test_logits_are_averaged_over_windows_and_mirror_images(flip, size):
    image = noise(*size)
    expected = literal(Context(), image, (12, 10), 1 / 3, flip)
    pred = infer(Context(), image, window=(12, 10), overlap=1 / 3, flip=flip)
    # Sums in another order: a tie within rounding may fall the other way.
    assert (pred != expected.numpy()).mean() < 0.002
    assert (pred != infer(Context(), image)).any()


def test_scales_have_equal_votes():
    """At scale 2 every pixel is seen four times as large; the mean of both logits decides."""
    image = noise(16, 24)
    model = Context()
    large = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    large = F.interpolate(large, scale_factor=2, mode="bilinear").round().byte()[0].permute(1, 2, 0).numpy()
    back = F.interpolate(plain(model, large)[None], size=(16, 24), mode="bilinear")[0]
    expected = ((plain(model, image) + back) / 2).argmax(0).numpy()
    assert (infer(model, image, scales=(1.0, 2.0)) != expected).mean() < 0.02
    assert (infer(model, image) != expected).mean() > 0.05


def test_flip_makes_the_prediction_symmetric():
    image = noise(20, 21)
    model = Context()
    pred, mirrored = infer(model, image, flip=True), infer(model, image[:, ::-1].copy(), flip=True)
    assert (pred != mirrored[:, ::-1]).mean() < 0.005
    assert (infer(model, image) != infer(model, image[:, ::-1].copy())[:, ::-1]).mean() > 0.05


def test_windows_cover_a_side_evenly():
    assert window_starts(10, 4, 0.5) == (0, 2, 4, 6)
    assert window_starts(11, 4, 0.5) == (0, 1, 3, 5, 7)
    assert window_starts(4, 4, 0.5) == (0,)
    assert window_starts(2048, 1024, 1 / 3) == (0, 512, 1024)
    starts = window_starts(1000, 333, 1 / 3)
    assert starts[-1] + 333 == 1000
    assert max(np.diff(starts)) <= 333 * 2 / 3


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"scales": (0.5, 1.0), "flip": True}])
def test_memory_does_not_grow_with_the_image(options):
    """Four times the pixels, and not one byte more of tensors: only image and prediction themselves are larger."""
    model, peaks = Pointwise(19), []
    for side in (200, 400):
        image = noise(side, side)
        peaks.append(peak_bytes(lambda image=image: infer(model, image, window=(40, 40), **options)))
    assert peaks[1] <= peaks[0]
    whole = peak_bytes(lambda: plain(model, noise(400, 400)))
    assert peaks[1] < whole / 3
