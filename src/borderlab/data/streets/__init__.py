"""`streets`: short driving videos of a small street world, rendered with exact labels, flow and occlusion."""
