"""Everything from a candidate to a verdict."""
