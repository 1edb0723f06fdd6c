"""finml's service beside its peers: the same models, the same cores, the same load."""
