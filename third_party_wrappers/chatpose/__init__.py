"""ChatPose."""
