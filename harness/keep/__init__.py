"""What lasts: journal, memory, scores, artifacts, commits."""
