import pytest
import torch

from borderlab.losses import neighbourhood_bits
from borderlab.losses.neighbourhood import class_bits, unpack_bits


def sets(bits, n_classes):
    """Sets of classes as nested lists of Python sets."""
    n, words, h, w = bits.shape
    rows = unpack_bits(bits.movedim(1, -1).reshape(-1, words), n_classes)
    flat = [set(row.nonzero()[:, 0].tolist()) for row in rows]
    return [[[flat[(i * h + y) * w + x] for x in range(w)] for y in range(h)] for i in range(n)]


def test_a_row_by_hand():
    target = torch.tensor([[[0, 0, 2, 255, 1]]])
    assert sets(neighbourhood_bits(target, 3, 1), 3) == [[[{0}, {0, 2}, {0, 2}, {1, 2}, {1}]]]
    assert neighbourhood_bits(target, 3, 1)[0, 0, 0].tolist() == [0b001, 0b101, 0b101, 0b110, 0b010]


def test_diagonal_neighbours_count():
    target = torch.full((1, 3, 3), 255)
    target[0, 0, 0], target[0, 2, 2] = 0, 1
    assert sets(neighbourhood_bits(target, 2, 1), 2)[0][1][1] == {0, 1}
    assert sets(neighbourhood_bits(target, 2, 1), 2)[0][2][0] == set()


@pytest.mark.parametrize("n_classes", [1, 63, 64, 65, 128, 150])
def test_every_class_has_a_bit_of_its_own(n_classes):
    target = torch.arange(n_classes)[None, None]
    bits = class_bits(target, n_classes)
    assert bits.shape == (1, -(-n_classes // 64), 1, n_classes)
    assert sets(bits, n_classes) == [[[{c} for c in range(n_classes)]]]


@pytest.mark.parametrize("label", [-1, 19, 64, 128, 255])
def test_ids_that_are_no_class_give_the_empty_set(label):
    assert class_bits(torch.tensor([[[label]]]), 19).tolist() == [[[[0]]]]


@pytest.mark.parametrize("radius_px", [0, 1, 2, 7, 30])
def test_equals_a_loop_over_pixels(radius_px):
    target = torch.randint(0, 70, (2, 5, 8), generator=torch.Generator().manual_seed(0))
    target[target > 66] = 255
    measured = sets(neighbourhood_bits(target, 67, radius_px), 67)
    for i in range(2):
        for y in range(5):
            for x in range(8):
                window = target[i, max(0, y - radius_px) : y + radius_px + 1, max(0, x - radius_px) : x + radius_px + 1]
                assert measured[i][y][x] == set(window.flatten().tolist()) - {255}


def test_target_is_not_changed_and_uint8_will_do():
    target = torch.randint(0, 5, (1, 4, 4), dtype=torch.uint8)
    copy = target.clone()
    assert torch.equal(neighbourhood_bits(target, 5, 1), neighbourhood_bits(target.long(), 5, 1))
    assert torch.equal(target, copy)
