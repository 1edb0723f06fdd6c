"""What becomes of predictions: the inference log, outcomes that come back, and the comparison of versions."""
