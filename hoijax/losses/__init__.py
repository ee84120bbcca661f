"""Loss terms: image, perceptual, contact, collision, depth order."""
