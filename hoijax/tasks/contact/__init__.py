"""The learned contact model (Open3DHOI, appendix C.1): which of the 34 body parts touch the object."""
