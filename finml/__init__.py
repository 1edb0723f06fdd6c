"""finml: the machine-learning platform of a personal-finance product.

The package is plain Python: it knows nothing of Kubeflow, BentoML or Locust, which call it.
"""

__version__ = "0.1.0"
