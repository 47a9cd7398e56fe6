"""Classification and segmentation networks on timm backbones."""
