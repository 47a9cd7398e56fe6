"""Learned motion: a U-Net that refines or foretells optical flow, trained on unlabelled video."""
