"""Data sets: registry, fetching, decoding, augmentation and loading."""
