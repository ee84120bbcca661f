"""Other people's models, each in an environment of its own; README.md tells how they are run and set up."""
