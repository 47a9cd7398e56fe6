"""Rings of feature maps."""

import pytest
import torch

from borderlab.probe.map_rings import centre, interior, map_rings


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 7), (5, 40), (300, 280)])
def test_every_cell_lies_in_one_ring(size: tuple[int, int]) -> None:
    rings = map_rings(*size)
    assert torch.stack([ring.cells for ring in rings]).sum(dim=0).eq(1).all()
    assert [ring.from_px for ring in rings] == sorted(ring.from_px for ring in rings)
    assert rings[0].from_px == 0


def test_interior_and_centre_of_five_by_five_cells() -> None:
    inside = interior(5, 5)
    assert inside is not None
    assert inside.nonzero().tolist() == [[y, x] for y in (1, 2, 3) for x in (1, 2, 3)]
    assert centre(5, 5).nonzero().tolist() == [[2, 2]]


def test_a_map_that_is_all_border_has_no_interior() -> None:
    assert interior(2, 9) is None
