"""Metrics of pose, contact, collision, image and body."""
