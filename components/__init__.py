"""The steps of finml's pipelines as Kubeflow components: one file a step, a few lines that call the library.

A component's body is shipped as source and runs in a container or process of its own, so it imports what it
uses. The image below is what a component runs in unless the pipeline's settings name another.
"""

IMAGE = "finml:0.1.0"
