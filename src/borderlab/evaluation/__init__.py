"""Metrics over whole data sets, and over the distance from the image border."""
