"""The house: ask (up to a candidate), judge (up to a verdict), keep (what lasts), show (what people see)."""
