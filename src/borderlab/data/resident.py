"""A classification split that lies on the device, which also cuts, resizes and recolours it.

What is left to chance is drawn as for images that are loaded one by one, by `borderlab.data.loader`: from seed, epoch
and place alone, on the CPU, so that neither device nor number of workers changes a draw. Samples differ from those by
roundings: here no step rounds to whole grey levels.
"""

import os
from dataclasses import dataclass

import torch
from torch import Tensor

from borderlab.data.batch import Batch, Normalisation, RawBatch
from borderlab.data.cutting import PixelStore
from borderlab.data.recolouring import recolour_batch
from borderlab.spec import AugmentSpec, Size

# The rest is for the network, its gradients, and other jobs on the same device.
_SHARE_FOR_IMAGES = 0.5


@dataclass(frozen=True, kw_only=True)
class ResidentBatches(Normalisation):
    """Makes batches of what loaders draw from `borderlab.data.decoded.DecodedImages`: cuts, and places in its list.

    Attributes:
        store: the pixels.
        targets: class of each image (n), on the CPU.
        size: height and width of a sample.
        colours: ranges of changes of colour; none where absent.
    """

    store: PixelStore
    targets: Tensor
    size: Size
    colours: AugmentSpec | None = None

    def batch(self, raw: RawBatch) -> Batch:
        """Images on the device, classes on the CPU."""
        images = self.store.cut(raw.target.numpy(), raw.image.numpy(), self.size)
        if self.colours is not None:
            amounts = raw.image[:, 8:].to(self.store.device, torch.float32, non_blocking=True)
            images = recolour_batch(images, amounts, self.colours)
        return Batch(self(images), self.targets[raw.target], raw.sample_ids)


def bytes_for_images(device: torch.device) -> float:
    """What resident images may take of `device`: half of what is free on a GPU, or of what a computer has."""
    if device.type == "cuda":
        return _SHARE_FOR_IMAGES * torch.cuda.mem_get_info(device)[0]
    return _SHARE_FOR_IMAGES * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
