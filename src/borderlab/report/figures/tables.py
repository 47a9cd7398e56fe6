"""Joins that several figures need."""

import pandas as pd


def with_factors(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """`table`, which names runs, with all columns of `runs` that it lacks."""
    missing = ["run", *(column for column in runs.columns if column not in table.columns)]
    return table.merge(runs[missing], on="run", validate="many_to_one")
