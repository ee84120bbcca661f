"""From a bare photograph: the person's landmarks, mask and body, and an object's mask, with nothing but pip."""
