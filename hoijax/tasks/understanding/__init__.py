"""What does the person do, and with what? A 3D language model answers; its words are counted (Open3DHOI, section 6.1)."""
