"""The proposers: a model, the built-in space search, a replay."""
