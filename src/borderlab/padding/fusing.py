"""Fusing a converted model for inference: exact, or refused.

timm fuses a block for inference by methods called `fuse`, `reparameterize` or `switch_to_deploy`, which make a new
`nn.Conv2d` from the weights of old ones; the new one would pad zeros, whatever the old ones did. A conversion puts a
`FusionGuard` before these methods, which gives the new convolution the padding of the old ones, or refuses:

    folding     BN(conv(x)) -> conv'(x)                 exact in every mode: an affine map of each output
    summing     3x3(x) + 1x1(x) + x -> 3x3'(x)          exact where all branches see one surrounding of the image

A sum is exact for fillings that are `nested` (see `borderlab.padding.base.Filling`): the 1x1 and the identity see
the centre alone, smaller kernels see the inner part of the same rim. It is not for `partial`, which re-weights
the 3x3 branch and not the others; nor where branches have a rim of their own (`mean_interp`, `random`, `pp_pad`).
Methods that are not listed here are refused: fuse first, then convert.
"""

from typing import Any, cast

from torch import nn

from borderlab.errors import PaddingError
from borderlab.padding.base import Filling
from borderlab.padding.geometry import can_pad
from borderlab.padding.layers import BORDER_NET, PaddedLayer, layer_kind, pad_layer
from borderlab.padding.registry import PADDING_MODES

METHODS = ("fuse", "reparameterize", "switch_to_deploy")

FOLDS = {
    "timm.models.efficientvim.ConvLayer2d",
    "timm.models.efficientvit_msra.ConvNorm",
    "timm.models.iformer.ConvNorm",
    "timm.models.levit.ConvNorm",
    "timm.models.repvit.ConvNorm",
    "timm.models.shvit.Conv2dNorm",
    "timm.models.tiny_vit.ConvNorm",
}
"""Classes whose method folds a batch normalisation into the one convolution before it."""

SUMS = {
    "timm.models.byobnet.MobileOneBlock",
    "timm.models.byobnet.RepVggBlock",
    "timm.models.efficientvim.EfficientViMBlock",
    "timm.models.efficientvim.PatchMerging",
    "timm.models.fastvit.MobileOneBlock",
    "timm.models.fastvit.ReparamLargeKernelConv",
    "timm.models.fastvit.RepConditionalPosEnc",
    "timm.models.fastvit.RepMixer",
    "timm.models.ghostnet.GhostBottleneckV3",
    "timm.models.ghostnet.GhostModuleV3",
    "timm.models.iformer.RepCPE",
    "timm.models.lcnetv2.RepDepthwiseSeparable",
    "timm.models.repghost.RepGhostModule",
    "timm.models.repvit.RepVggDw",
    "timm.models.shvit.Residual",
}
"""Classes whose method sums parallel branches of one image into one convolution."""

PASSES = {
    "timm.models.iformer.IFormer",
    "timm.models.nextvit.NextConvBlock",
    "timm.models.nextvit.NextTransformerBlock",
    "timm.models.repvit.RepVit",
    "timm.models.shvit.SHViT",
}
"""Classes whose method changes no padded convolution itself: it calls that of its parts, or fuses pointwise ones."""


def guard_fusing(model: nn.Module) -> None:
    """Put guards before the fusing methods of all modules that hold padded layers; take away those no longer needed."""
    for module in model.modules():
        for method in METHODS:
            if not callable(getattr(type(module), method, None)):
                continue
            if any(isinstance(part, PaddedLayer) for part in module.modules()):
                vars(module)[method] = FusionGuard(module, method)
            elif isinstance(vars(module).get(method), FusionGuard):
                del vars(module)[method]


class FusionGuard:
    """Stands before a fusing method of `owner`; copied and pickled with it."""

    def __init__(self, owner: nn.Module, method: str) -> None:
        self.owner, self.method = owner, method

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Fuse.

        Raises:
            PaddingError: if the fused module would not equal the present one; nothing has been changed then.
        """
        for module in self.owner.modules():
            if any(method in vars(module) for method in METHODS):
                _check(module)
        padded = _padded_layers(self.owner)
        # The modules themselves, not their ids: a method drops old layers, and a new one may get the id of one dropped.
        before = set(self.owner.modules())
        fused = getattr(type(self.owner), self.method)(self.owner, *arguments, **options)
        if padded and _class_name(self.owner) not in PASSES:
            result = fused if isinstance(fused, nn.Module) else self.owner
            _pad_new_layers(result, before, padded[0])
            guard_fusing(result)
        return fused


def _padded_layers(module: nn.Module) -> list[PaddedLayer]:
    return [part for part in module.modules() if isinstance(part, PaddedLayer)]


def _class_name(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"


def _check(module: nn.Module) -> None:
    """Raise `PaddingError` if fusing `module` would change what it computes."""
    name, layers = _class_name(module), _padded_layers(module)
    if not layers or name in FOLDS or name in PASSES:
        return
    modes = sorted({layer.padding_mode for layer in layers})
    scheme = PADDING_MODES[modes[0]]
    if name in SUMS and len(modes) == 1 and isinstance(scheme, Filling) and scheme.nested:
        return
    reason = "its branches pad differently" if name in SUMS else "what its method does is not known here"
    raise PaddingError(
        f"{layers[0].layer_name}: {type(module).__name__} cannot be fused under {' and '.join(modes)} padding: "
        f"{reason}; keep it as it is, or fuse the model before converting it"
    )


def _pad_new_layers(result: nn.Module, before: set[nn.Module], model_layer: PaddedLayer) -> None:
    """Let convolutions that fusing has made pad as `model_layer` did, with its networks if it has any."""
    for layer in list(result.modules()):
        if layer in before or not isinstance(layer, nn.Conv2d) or isinstance(layer, PaddedLayer):
            continue
        kind = layer_kind(layer)
        if kind is not None and can_pad(kind.padding(layer), cast(tuple[int, int], layer.kernel_size)):
            # A new layer is in training mode, whatever the old ones were in; `random` would draw.
            pad_layer(layer.train(model_layer.training), model_layer.padding_mode, model_layer.layer_name)
            if BORDER_NET in model_layer._modules:
                layer._modules[BORDER_NET] = model_layer._modules[BORDER_NET]
