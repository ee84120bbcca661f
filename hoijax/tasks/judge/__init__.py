"""The judge: a network that learns from the filter's decisions which samples are likely to pass (Open3DHOI, B.2.4)."""
