"""What the tables of probes hold (a part of `borderlab.report.schemas`)."""

import pandera.pandas as pa

from borderlab.report.schema_columns import number, points, share, table, text, whole

MEASURES = {
    "top1_pct": "first guess right",
    "top5_pct": "one of five guesses right",
    "own_top1_pct": "first guess among the outputs of the data set's own classes right",
    "miou_pct": "mean IoU over all images",
    "agreement_pct": "same prediction as with the padding of training, right or wrong",
}
CONSTANTS = ("mean", "black", "white")


def _keys() -> dict[str, pa.Column]:
    return {
        "probe": text("Probe, by its name in the configuration."),
        "dataset": text("Data set of the images, by its name in the experiment."),
        "network": text("Run, or backbone with first weights."),
        "backbone": text("Name of the timm network."),
        "weights": text("Initial weights: `random`, or where pretrained ones come from."),
        "trained_mode": text("Padding that the weights were trained with; `none` for weights drawn at random."),
        "seed": whole("Seed of the run; empty for weights that were not trained here.", nullable=True),
        "tested_mode": text("Padding of the probe."),
    }


def _ring(place: str) -> dict[str, pa.Column]:
    return {
        "from_px": whole(f"Smallest distance from the border of {place}, in its cells."),
        "to_px": whole("First distance beyond the ring; empty for the innermost.", nullable=True),
    }


def _map() -> dict[str, pa.Column]:
    return {
        "stage": whole("Map of the feature pyramid, the shallowest 1.", minimum=1),
        "map_height": whole("Height of the map, in cells."),
        "map_width": whole("Width of the map, in cells."),
        **_ring("the map"),
    }


def _measure() -> pa.Column:
    meanings = "; ".join(f"`{name}`: {meaning}" for name, meaning in MEASURES.items())
    return text(f"What was measured. {meanings}.", checks=pa.Check.isin(list(MEASURES)))


_NETWORK = ["probe", "network", "tested_mode"]
_RATIO = "over the interior's (cells at least half as far from the border as the farthest); empty without activation."

PROBE_SCHEMAS = {
    "cross_test": table(
        "Weights trained with one padding, evaluated with others.",
        {
            **_keys(),
            "measure": _measure(),
            "value_pct": share("The measure"),
            "change_points": points("The same minus the result with the padding of training; empty for agreement"),
            "n_images": whole("Images.", minimum=1),
        },
        [*_NETWORK, "measure"],
    ),
    "border_profile": table(
        "Activations by distance from the border of each feature map, relative to the map's interior. Images differ "
        "between border and centre by themselves: compare paddings, not rings.",
        {
            **_keys(),
            **_map(),
            "magnitude_ratio": number(f"Mean magnitude {_RATIO}", nullable=True),
            "sd_ratio": number(f"Standard deviation over images, cells and channels {_RATIO}", nullable=True),
            "mean_shift_sd": number(
                "Root mean square over channels of the shift of the channel's mean, in the channel's standard "
                "deviations in the interior; empty where none varies.",
                nullable=True,
            ),
            "n_images": whole("Images.", minimum=1),
        },
        [*_NETWORK, "stage", "from_px"],
    ),
    "position_leak": table(
        "Feature maps of constant images: any pattern in them comes from padding.",
        {
            **_keys(),
            "constant": text(
                "Colour of the image; `mean` is what the network's normalisation turns into zeros.",
                checks=pa.Check.isin(CONSTANTS),
            ),
            **_map(),
            "deviation": number(
                "Root mean square difference between the ring and the map's centre, over the centre's own root mean "
                "square; empty where that is zero.",
                nullable=True,
            ),
        },
        [*_NETWORK, "constant", "stage", "from_px"],
    ),
    "shift_consistency": table(
        "Two windows of each image, the second one farther down and right: what differs where both show the same.",
        {
            **_keys(),
            "dy_px": whole("Shift down, in pixels of the image."),
            "dx_px": whole("Shift right, in pixels of the image."),
            "level": text("`prediction` of the whole window, `stage 1`, ... of the feature pyramid, or `logits`."),
            **_ring("the nearer window"),
            "same_pct": share("Equal predictions: images, or pixels of the ring; empty for stages", True),
            "relative_change": number(
                "Root mean square change of the map over the root mean square of its values; empty for predictions.",
                nullable=True,
            ),
            "n_images": whole("Images.", minimum=1),
        },
        [*_NETWORK, "dy_px", "dx_px", "level", "from_px"],
    ),
}
