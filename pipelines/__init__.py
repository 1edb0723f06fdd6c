"""finml's pipelines, how they are run here and on Kubeflow, and the `finml` command."""
