"""What must hold for any logits and labels."""

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from borderlab.losses import neighbourhood_bits, relaxed_cross_entropy
from borderlab.losses.neighbourhood import spread_bits

N_CLASSES = 5
seeds = st.integers(0, 2**31)
radii = st.integers(0, 3)


def batch(seed, n=3, size=(5, 6)):
    """Random logits and labels; about a quarter of the pixels is void, and at least one is not in each image."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, N_CLASSES, (n, *size), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.25] = 255
    target[:, 0, 0] = 0
    return 4 * torch.randn(n, N_CLASSES, *size, generator=generator, dtype=torch.float64), target


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_radius_zero_is_cross_entropy(seed):
    logits, target = batch(seed)
    for image in (logits, logits.float()):
        assert torch.equal(relaxed_cross_entropy(image, target, 0), F.cross_entropy(image, target, ignore_index=255))


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(0, N_CLASSES - 1))
def test_one_class_alone_is_cross_entropy(seed, label):
    logits, target = batch(seed)
    target = torch.where(target == 255, 255, label)
    torch.testing.assert_close(
        relaxed_cross_entropy(logits, target, 2), F.cross_entropy(logits, target, ignore_index=255)
    )


@settings(max_examples=30, deadline=None)
@given(seeds, radii)
def test_loss_falls_as_the_window_grows_and_is_never_negative(seed, radius_px):
    logits, target = batch(seed)
    strict, relaxed = (relaxed_cross_entropy(logits, target, radius) for radius in (radius_px, radius_px + 1))
    assert -1e-12 <= relaxed <= strict + 1e-12


@settings(max_examples=30, deadline=None)
@given(seeds, radii)
def test_strict_classes_lie_between_relaxed_and_strict(seed, radius_px):
    logits, target = batch(seed)
    relaxed = relaxed_cross_entropy(logits, target, radius_px)
    partly = relaxed_cross_entropy(logits, target, radius_px, strict_classes=(1, 3))
    everything = relaxed_cross_entropy(logits, target, radius_px, strict_classes=tuple(range(N_CLASSES)))
    strict = F.cross_entropy(logits, target, ignore_index=255)
    assert relaxed - 1e-12 <= partly <= strict + 1e-12
    torch.testing.assert_close(everything, strict)


@settings(max_examples=30, deadline=None)
@given(seeds, radii)
def test_batch_is_the_mean_of_its_images(seed, radius_px):
    logits, target = batch(seed)
    images = zip(logits, target, strict=True)
    singles = torch.stack([relaxed_cross_entropy(image[None], label[None], radius_px) for image, label in images])
    counts = (target != 255).sum((1, 2))
    together = relaxed_cross_entropy(logits, target, radius_px)
    torch.testing.assert_close(together, (singles * counts).sum() / counts.sum())


@settings(max_examples=30, deadline=None)
@given(seeds, st.permutations(range(N_CLASSES)), radii)
def test_names_of_classes_do_not_matter(seed, order, radius_px):
    logits, target = batch(seed)
    renamed = torch.full((256,), 255)
    renamed[torch.tensor(order)] = torch.arange(N_CLASSES)
    expected = relaxed_cross_entropy(logits, target, radius_px)
    torch.testing.assert_close(relaxed_cross_entropy(logits[:, order], renamed[target], radius_px), expected)


@settings(max_examples=30, deadline=None)
@given(seeds, radii, st.sampled_from([(2,), (3,), (2, 3)]))
def test_mirrored_image_has_the_same_loss(seed, radius_px, axes):
    logits, target = batch(seed)
    mirrored = relaxed_cross_entropy(logits.flip(axes), target.flip([axis - 1 for axis in axes]), radius_px)
    torch.testing.assert_close(mirrored, relaxed_cross_entropy(logits, target, radius_px))


@settings(max_examples=30, deadline=None)
@given(seeds, radii, st.floats(-100, 100))
def test_a_shift_of_all_logits_changes_nothing(seed, radius_px, shift):
    logits, target = batch(seed)
    expected = relaxed_cross_entropy(logits, target, radius_px)
    torch.testing.assert_close(relaxed_cross_entropy(logits + shift, target, radius_px), expected)


@settings(max_examples=30, deadline=None)
@given(seeds, radii, radii)
def test_windows_of_windows_add_up(seed, first, second):
    """The union over a window of unions over windows is the union over the larger window."""
    target = batch(seed)[1]
    step_by_step = spread_bits(neighbourhood_bits(target, N_CLASSES, first), second)
    assert torch.equal(step_by_step, neighbourhood_bits(target, N_CLASSES, first + second))
