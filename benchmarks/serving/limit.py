"""How many rows a second the model alone answers: batches of 32 in a loop, in as many processes as workers.

python -m benchmarks.serving.limit credit_risk|credit_risk_reasons|intent FOLDER SECONDS
"""

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from benchmarks.serving.cases import loans, messages
from finml.models.credit_risk.contract import CreditRiskInput, loan_records
from finml.models.credit_risk.runtime import CreditRiskPredictor
from finml.models.intent.runtime import IntentPredictor

BATCH = 32


def in_processes(task: str, folder: Path, *, processes: int, seconds: float) -> float:
    """Rows a second of all processes together."""
    command = [sys.executable, "-m", "benchmarks.serving.limit", task, str(folder), str(seconds)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return sum(float(process.communicate()[0]) for process in running)


def batches(task: str, folder: Path) -> list[Callable[[], object]]:
    """Calls that each answer a batch."""
    if task == "intent":
        intent = IntentPredictor.load(folder)
        texts = [message.text for message in messages(intent)]
        parts = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        return [lambda part=part: intent.answer(part) for part in parts]  # type: ignore[misc]
    model, reasons = CreditRiskPredictor.load(folder), [task == "credit_risk_reasons"] * BATCH
    asked = [CreditRiskInput(**loan.item) for loan in loans(model)]
    records = loan_records(asked, [loan.features or {} for loan in asked])
    rows = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    return [lambda part=part: model.judge(part, reasons) for part in rows]  # type: ignore[misc]


def main() -> None:
    """Print the rows a second of this process."""
    task, folder, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    calls = batches(task, folder)
    for call in calls:
        call()
    answered, begun = 0, time.perf_counter()
    for call in cycle(calls):
        call()
        answered += BATCH
        if (lasted := time.perf_counter() - begun) >= seconds:
            break
    print(answered / lasted)


if __name__ == "__main__":
    main()
