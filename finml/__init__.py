"""finml: the machine-learning platform of a personal-finance product.

The package is plain Python: it knows nothing of Kubeflow, BentoML or Locust, which call it.
"""

import os

__version__ = "0.1.0"

# ONNX Runtime reports each process and session to its maker unless told not to, and only before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
