"""From a photograph and two boxes to a sample folder, step by step; a user's own files may stand for any step."""
