"""The training loop that classification and segmentation share."""
