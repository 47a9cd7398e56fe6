"""Networks of a probe under several paddings: nothing of the trained one is lost on the way."""

import torch
from tests.probe.conftest import Stack

from borderlab.padding import set_padding_mode
from borderlab.padding.layers import BORDER_NET


def test_learned_padding_is_still_there_after_other_modes(make_network) -> None:
    stack = Stack()
    set_padding_mode(stack, "pp_pad")
    with torch.no_grad():
        for name, parameter in stack.named_parameters():
            if BORDER_NET in name:
                parameter.add_(0.3)
    network = make_network(stack, trained_mode="pp_pad")
    x = torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        before, replicated, again = (
            network.padded(mode).forward_intermediates(x)[0] for mode in ("pp_pad", "replicate", "pp_pad")
        )
    assert torch.equal(again, before)
    assert not torch.allclose(replicated, before)


def test_weights_are_the_same_in_every_mode(make_network) -> None:
    network = make_network()
    own = network.module.state_dict()
    for mode in ("partial", "reflect", "zeros"):
        other = network.padded(mode).state_dict()
        assert own.keys() == other.keys()
        assert all(torch.equal(own[key], other[key]) for key in own)
