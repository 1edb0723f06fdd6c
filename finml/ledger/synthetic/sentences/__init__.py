"""What users of a finance app type: a grammar with slots, so that every amount, date and name is marked."""
