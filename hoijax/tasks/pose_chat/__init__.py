"""HOI pose chat (Open3DHOI, section 6.2 and B.3.2): in words, which of several people is meant; out, that person's pose."""
