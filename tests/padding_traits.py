"""What does not hold for a padding mode by its nature, with the reason: the one table that tests may ask.

A test of a property of all modes goes over `modes_with(property)`; whoever adds a mode adds a row here only if the
mode was made to lack the property.
"""

from borderlab.padding import PADDING_MODES

LACKS = {
    "linear": {"linear_prediction": "its coefficients are a quotient of sums of squares"},
    "gradient_of_padding": {"mean_interp": "the padded rim is held constant in the backward pass, as published"},
    "deterministic_in_training": {"random": "each call draws its sides"},
    "differs_from_zeros_in_eval": {"random": "it pads zeros on all sides outside training"},
    "keeps_state_dict_keys": {"pp_pad": "the networks of its sides are parameters"},
    "gradient_of_all_parameters_at_start": {"pp_pad": "hidden units feel a gradient once the output weights left 0"},
}
TRAINED = {"pp_pad"}
"""Modes whose behaviour is learned: what is tested of them without a layer is their start."""


def modes_with(trait: str) -> list[str]:
    """Modes that have `trait`, in alphabetical order."""
    return sorted(set(PADDING_MODES) - set(LACKS[trait]))


def own_keys(state: dict) -> list[str]:
    """Keys of a state dict without those that a mode added."""
    return [key for key in state if "border_net." not in key]
