"""finml's models, one folder each; what they share lies beside the folders."""
