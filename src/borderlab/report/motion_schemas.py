"""What the tables of trained motion models hold (a part of `borderlab.report.schemas`)."""

import pandera.pandas as pa

from borderlab.report.schema_columns import number, share, table, text, whole

METHODS = {
    "copy": "the neighbouring frame as it is",
    "input_flow": "warped along the flow that the network was shown; for a prediction, the motion one step earlier",
    "learned": "warped along the network's flow",
}
KINDS = ("prediction", "reconstruction")


def _keys() -> dict[str, pa.Column]:
    return {
        "model": text("Motion model, by its name in the configuration."),
        "kind": text(
            "`prediction` (sees past frames alone) or `reconstruction` (sees the frame itself too).",
            checks=pa.Check.isin(KINDS),
        ),
        "dataset": text("Data set that it was trained and tested on, by its name in the experiment."),
    }


def _method() -> pa.Column:
    meanings = "; ".join(f"`{name}`: {meaning}" for name, meaning in METHODS.items())
    return text(f"How the frame was made. {meanings}.", checks=pa.Check.isin(list(METHODS)))


MOTION_SCHEMAS = {
    "motion_models": table(
        "Frames that were not trained on, rebuilt from their neighbour: one row for each trained motion model and way.",
        {
            **_keys(),
            "train_split": text("Split whose frames train."),
            "held_out": text("Split that is held out, or the end of each clip of the training split."),
            "input_flow": text("Motion model whose flow the network is shown."),
            "seed": whole("Seed."),
            "method": _method(),
            "psnr_db": number("Peak signal to noise ratio, mean over pairs, in dB."),
            "ssim": number("Structural similarity, mean over pairs; 1 at most.", minimum=-1.0),
            "better_than_input_pct": share("Pairs with a higher PSNR than `input_flow`"),
            "n_pairs": whole("Held-out pairs of frames.", minimum=1),
            "n_train_pairs": whole("Pairs of frames in the training set."),
            "n_steps": whole("Optimiser steps."),
            "n_parameters": whole("Parameters of the network."),
            "wall_time_s": number("Wall time of the training job, in seconds, over all its starts."),
            "peak_memory_mb": number("Largest resident memory of that process, in megabytes."),
            "device": text("Device that computed."),
            "git_commit": text("Commit of the code; empty outside a checkout."),
            "git_dirty": pa.Column("boolean", nullable=True, description="Whether tracked files differed from it."),
            "data_identity": text("Hash of the data set's content."),
            "rerun_command": text("Command that trains the model again."),
        },
        ["model", "method"],
    ),
    "motion_curves": table(
        "Training curves of motion models: one row for each epoch.",
        {
            **_keys(),
            "epoch": whole("Epoch."),
            "step": whole("Optimiser steps so far."),
            "lr": number("Learning rate."),
            "train_loss": number("Mean training loss of the epoch."),
            "psnr_db": number("Mean PSNR of held-out frames, in dB; empty where it was not measured.", nullable=True),
            "seconds": number("Wall time since the start of the job, in seconds."),
        },
        ["model", "epoch"],
    ),
}
