"""Optimisers by recipe."""

import torch
from torch import nn

from borderlab.spec import RecipeSpec


def create_optimiser(model: nn.Module, recipe: RecipeSpec) -> torch.optim.Optimizer:
    """SGD or AdamW over all parameters, with the recipe's learning rate and weight decay on every one of them.

    Decay reaches biases and batch norms too, as in the code of both papers.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
    )


def set_lr(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Give every parameter group the learning rate `lr`."""
    for group in optimiser.param_groups:
        group["lr"] = lr
