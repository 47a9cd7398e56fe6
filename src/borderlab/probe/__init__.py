"""Probes: what padding does inside a network, beyond the accuracy that it ends with."""
