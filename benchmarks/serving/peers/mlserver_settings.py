"""The folder of settings that MLServer starts from."""

import json
from pathlib import Path

CLASSES = {"credit_risk": "CreditRiskPeer", "intent": "IntentPeer"}


def write(folder: Path, task: str, port: int, *, workers: int, wait_s: float) -> None:
    """Write `settings.json` and `model-settings.json`; the two further ports are the next ones."""
    server = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "parallel_workers": workers,
        "debug": False,
    }
    model = {
        "name": task,
        "implementation": f"benchmarks.serving.peers.mlserver_runtimes.{CLASSES[task]}",
        "max_batch_size": 32,
        "max_batch_time": wait_s,
    }
    (folder / "settings.json").write_text(json.dumps(server), encoding="utf-8")
    (folder / "model-settings.json").write_text(json.dumps(model), encoding="utf-8")
