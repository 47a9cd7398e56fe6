"""Propagation of images and labels along optical flow, and its scoring."""
