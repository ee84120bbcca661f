"""Files: samples in the Open3DHOI layout, results, built-in scenes."""
