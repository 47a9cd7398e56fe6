"""The sections of the page, in reading order: what each asks, shows, and says when it has nothing to show."""

from typing import Any

import pandas as pd

from borderlab.report.artifacts import TabulationInput
from borderlab.report.drawings import Drawings
from borderlab.report.motion_section import motion_section
from borderlab.report.page_tables import (
    SHORT_HASH,
    cost_table,
    distance_table,
    padding_table,
    runs_table,
    training_table,
)
from borderlab.report.paper_section import paper_section
from borderlab.report.pictures import Album
from borderlab.report.probe_section import probe_section
from borderlab.report.samples import colour_keys, moved_viewers, prediction_galleries
from borderlab.report.settings import dataset_slugs, slug
from borderlab.report.tabulate import Tables
from borderlab.report.view import Note, Section, excludes_zero

INTERVALS = (
    "Differences pair runs with the same seed, so that what a seed does to both sides cancels out. Intervals are t "
    "intervals of the mean difference (95 %); they cover the spread over seeds and nothing else, and they are not "
    "corrected for the number of comparisons (column p_holm of table effects is, over the values of a factor). "
    "With two or three seeds they are wide: read them before the means. "
    "“Finds x or more” is the smallest true difference that so many pairs, as spread as these, would show in 80 of 100 "
    "cases: a smaller one may well be there. "
    "Intervals “over images” ask the other question, how far another draw of evaluation images would move the "
    "difference between these very networks: a bootstrap of images (95 %), both sides with the same images, those of "
    "one recording drawn together, and none for fewer than five recordings. They say nothing about other seeds."
)


def make_sections(
    tables: Tables, inputs: TabulationInput, drawings: Drawings, stored: Album, shown: Album
) -> list[Section]:
    """All sections; pictures that the script looks up go to `stored`, those in the page itself to `shown`."""
    probes = [probe_section(tables, inputs, drawings, shown)] if inputs.probes else []
    motion = [motion_section(tables, drawings, inputs.config)] if inputs.motion_models else []
    return [
        paper_section(tables, inputs),
        _padding(tables, inputs, drawings),
        _training(tables, inputs, drawings),
        *motion,
        _distance(tables, inputs, drawings, stored),
        _borders(tables, inputs, drawings, shown),
        *probes,
        _curves(tables, drawings),
        _cost(tables, drawings),
        _provenance(tables),
    ]


def _padding(tables: Tables, inputs: TabulationInput, drawings: Drawings) -> Section:
    table = padding_table(tables, inputs.config)
    parts: list[Any] = []
    if table is not None:
        parts = [Note(_verdict(tables, "padding_mode")), table, Note(INTERVALS)]
        parts += _figures(
            tables,
            drawings,
            {
                "padding": "Final weights by padding mode. Axes do not start at 0: these are positions, not lengths.",
                "padding-difference": "Paired differences to zeros padding. Lines are 95 % t intervals; a line that "
                "crosses 0 does not tell the two apart.",
            },
        )
    lead = "What happens to accuracy when convolutions see something other than zeros beyond the image border?"
    empty = "This experiment has no setting that was trained with more than one padding mode."
    return _section("padding", "Padding", lead, parts, empty)


def _training(tables: Tables, inputs: TabulationInput, drawings: Drawings) -> Section:
    table = training_table(tables, inputs.config)
    parts: list[Any] = [] if table is None else [Note(_verdict(tables, "propagation")), table]
    parts += _figures(
        tables, drawings, {"training": "Final weights by propagated samples and loss. Bars are ± sd over seeds."}
    )
    lead = (
        "Do neighbouring frames with moved labels help, and does a loss that forgives neighbouring classes at object "
        "borders? “label” moves the label alone, “joint” moves frame and label, “true” uses real labels where the data "
        "set has them: the upper bound."
    )
    empty = "This experiment has no setting that was trained with different propagated samples or losses."
    return _section("training", "Propagation in training", lead, parts, empty)


def _distance(tables: Tables, inputs: TabulationInput, drawings: Drawings, album: Album) -> Section:
    caption = (
        "Moved labels against true ones over the signed distance from the key frame. Void pixels do not count in "
        "mIoU: read it together with the share of void."
    )
    parts: list[Any] = _distance_figures(tables, drawings, caption)
    table = distance_table(tables, inputs.config)
    viewers = moved_viewers(inputs, album)
    parts += [*(colour_keys(tables, inputs) if viewers else []), *viewers, *([] if table is None else [table])]
    lead = (
        "How good are labels that were moved along optical flow, and how fast do they decay? Each motion model is "
        "scored against labels that were withheld from it; “copy” does not move anything."
    )
    empty = "This experiment has no propagation_quality entry, so no moved labels were scored."
    return _section("distance", "Propagation over distance", lead, parts, empty)


def _borders(tables: Tables, inputs: TabulationInput, drawings: Drawings, album: Album) -> Section:
    caption = (
        "mIoU in rings of distance from the image border: all pixels of a ring pooled, mean ± sd over seeds; on "
        "the right, the paired difference to zeros. Its intervals, and p-values corrected for the number of rings and "
        "modes, are in table ring_effects: a ring that stands out by itself may well be chance."
    )
    parts: list[Any] = _figures(tables, drawings, {"rings": caption})
    galleries = prediction_galleries(tables, inputs, album)
    parts += [*(colour_keys(tables, inputs) if galleries else []), *galleries]
    lead = (
        "Padding acts at the image border first. Rings show whether a difference sits there or everywhere; sample "
        "predictions show what the errors look like."
    )
    empty = (
        "This experiment has no segmentation runs with more than one padding mode, so there are no rings to compare."
    )
    return _section("borders", "Borders", lead, parts, empty)


def _curves(tables: Tables, drawings: Drawings) -> Section:
    caption = "Thin lines are seeds, bold lines their mean; validation is on the evaluation split."
    parts = _figures(tables, drawings, {"curves": caption})
    lead = "Had training settled, and did all arms of a comparison get there in the same way?"
    return _section("curves", "Training curves", lead, parts, "This experiment has no training runs.")


def _cost(tables: Tables, drawings: Drawings) -> Section:
    table = cost_table(tables)
    parts: list[Any] = _figures(
        tables, drawings, {"cost": "Wall time and peak memory of training jobs; one dot for each run."}
    )
    parts += [] if table is None else [table]
    lead = (
        "What a run cost where it ran. Jobs may have shared their machine, so these are records of this experiment and "
        "no benchmark."
    )
    return _section("cost", "Time and memory", lead, parts, "This experiment has no training runs.")


def _provenance(tables: Tables) -> Section:
    table = runs_table(tables)
    parts: list[Any] = []
    if table is not None:
        parts = [Note(_agreement(tables)), Note(_software(tables)), Note(_energy(tables)), table]
    lead = "Where every number comes from, and the command that makes it again."
    return _section("provenance", "Provenance", lead, parts, "This experiment has no training runs.")


def _section(identity: str, title: str, lead: str, parts: list[Any], empty: str) -> Section:
    return Section(identity, title, lead, parts, "" if parts else empty)


def _figures(tables: Tables, drawings: Drawings, captions: dict[str, str]) -> list[Any]:
    """Figures by data set; `captions` by kind, which is what the figures' file names start with."""
    return [
        drawings.part(f"{kind}-{own_slug}", dataset, caption)
        for dataset, own_slug in dataset_slugs(tables).items()
        for kind, caption in captions.items()
        if f"{kind}-{own_slug}" in drawings
    ]


def _distance_figures(tables: Tables, drawings: Drawings, caption: str) -> list[Any]:
    slugs = dataset_slugs(tables)
    places = tables["propagation"][["dataset", "split"]].drop_duplicates().itertuples(index=False)
    return [
        drawings.part(f"distance-{slugs[dataset]}-{slug(split)}", f"{dataset}, {split}", caption)
        for dataset, split in places
    ]


def _verdict(tables: Tables, factor: str) -> str:
    """How many paired comparisons tell their two sides apart."""
    effects = tables["effects"]
    shown = effects[(effects["factor"] == factor) & (effects["measure"] == "evaluation")]
    ends = list(zip(shown["difference_low_pct"], shown["difference_high_pct"], strict=True))
    against = {"padding_mode": "zeros padding", "propagation": "training without propagation"}[factor]
    if not ends:
        return f"No run without the factor to pair with: there are no differences to {against}."
    with_interval = sum(low == low for low, _ in ends)
    apart = sum(excludes_zero(low, high) for low, high in ends)
    noun = "comparison" if len(ends) == 1 else "comparisons"
    text = f"{len(ends)} {noun} with {against}: {apart} of {with_interval} intervals exclude 0"
    missing = len(ends) - with_interval
    rest = "rests" if missing == 1 else "rest"
    return f"{text}; {missing} {rest} on fewer than two pairs, without an interval." if missing else f"{text}."


def _agreement(tables: Tables) -> str:
    runs = tables["runs"]
    gap = float((runs["last_pct"] - runs["evaluation_pct"]).abs().max())
    return (
        "The final weights are evaluated twice, at the end of training and again from the saved file. "
        f"The largest gap between the two is {gap:.2g} points. “Best” is the best validated epoch: choosing it on the "
        "evaluation split makes it optimistic, so comparisons here use the final weights."
    )


def _software(tables: Tables) -> str:
    versions = sorted(set(tables["runs"]["versions"]))
    platforms = sorted(set(tables["runs"]["platform"]))
    locks = {name: _hashes(tables["runs"][f"{name}_sha256"]) for name in ("constraints", "environment")}
    return (
        f"Software: {' | '.join(versions)}. Platform: {' | '.join(platforms)}. Lock file (constraints.txt): "
        f"{locks['constraints']}. All installed packages: {locks['environment']}."
    )


def _hashes(column: "pd.Series[str]") -> str:
    found = sorted({value[:SHORT_HASH] or "not recorded" for value in column})
    return " | ".join(found)


def _energy(tables: Tables) -> str:
    runs = tables["runs"]
    read = runs[runs["energy_j"].notna()]
    if read.empty:
        return "Energy: no counter could be read where these runs were made (RAPL often needs root, NVML a GPU)."
    names = sorted({name for text in read["energy_of"] for name in text.split("; ")})
    return (
        f"Energy: {read['energy_j'].sum() / 1000:.3g} kJ in {len(read)} of {len(runs)} training jobs, of the counters "
        f"{', '.join(names)}. They count whole packages and GPUs, with all that else ran on them."
    )
