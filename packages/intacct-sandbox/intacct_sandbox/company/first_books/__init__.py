"""The first books of a company: two years of plausible business."""
