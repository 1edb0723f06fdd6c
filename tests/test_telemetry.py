"""Libraries report nobody's models to their makers."""

import os
import subprocess
import sys

# where one of these is set, ONNX Runtime reports nothing anyway
OF_CI = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "TF_BUILD", "ORT_DISABLE_TELEMETRY")
THREADS = "import finml, onnxruntime, psutil; print(psutil.Process().num_threads())"


def test_onnx_runtime_reports_nothing(tmp_path):
    """Its reporter is a thread, and a database in the user's cache."""
    outside = {name: value for name, value in os.environ.items() if name not in OF_CI}
    environment = outside | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(
        [sys.executable, "-c", THREADS], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"
    assert not list(tmp_path.rglob("*onnxruntime*"))
