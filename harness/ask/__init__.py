"""Everything up to a candidate: prompt, proposers, reading the reply."""
