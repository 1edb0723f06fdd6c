"""Who is compared: each server's program, and how each of its answers is asked for and read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.serving.cases import Loan, Message, Task

WORKERS = 2
PEERS = "benchmarks.serving.peers"
FINML, UNBATCHED = "finml", "finml, batching off"


@dataclass(frozen=True)
class Server:
    """A program that answers.

    Attributes:
        name: its name.
        packages: what its environment holds; empty for finml's own.
        command: its arguments from Python's on, of a port and a folder for what it writes.
        settings: what finml's own is told beyond the defaults.
    """

    name: str
    packages: Sequence[str] = ()
    command: Callable[[int, Path], Sequence[str]] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """One way to ask a server.

    Attributes:
        name: as in the table.
        server: who is asked.
        task: what is asked about.
        answers: what an answer holds.
        path: where.
        body: a request about a case.
        read: the probability or the intent in an answer.
    """

    name: str
    server: Server
    task: Task
    answers: str
    path: str
    body: Callable[[Any], Any]
    read: Callable[[Any], Any]


def uvicorn(module: str, *options: str) -> Callable[[int, Path], Sequence[str]]:
    """Uvicorn with the same number of workers as finml."""
    return lambda port, _: (
        *("-m", "uvicorn", f"{PEERS}.{module}:app", "--port", str(port), "--workers", str(WORKERS)),
        *options,
    )


def bentoml(service: str) -> Callable[[int, Path], Sequence[str]]:
    """`bentoml serve`; the number of workers stands in the service."""
    module = f"{PEERS}.bentoml_batching:{service}"
    return lambda port, _: ("-m", "bentoml", "serve", module, "--port", str(port), "--host", "127.0.0.1")


def litserve(task: Task) -> Callable[[int, Path], Sequence[str]]:
    """LitServe's program."""
    return lambda port, _: ("-m", f"{PEERS}.litserve_batching", task, str(port))


def mlserver(task: Task, wait_s: float) -> Callable[[int, Path], Sequence[str]]:
    """MLServer, which reads a folder of settings."""

    def command(port: int, folder: Path) -> Sequence[str]:
        from benchmarks.serving.peers import mlserver_settings

        mlserver_settings.write(folder, task, port, workers=WORKERS, wait_s=wait_s)
        # the package has no `__main__`
        return ("-c", "from mlserver.cli import main; main()", "start", str(folder))

    return command


FASTAPI = ("fastapi", "uvicorn[standard]", "xgboost-cpu")
ONE_SERVER = Server(FINML)
ONE_BY_ONE = Server(UNBATCHED, settings={"batch_rows": 1})
QUICK_START = Server("FastAPI, quick start", FASTAPI, uvicorn("fastapi_quick_start"))
ON_ONNX = Server(
    "FastAPI, ONNX trees", ("fastapi", "uvicorn[standard]"), uvicorn("fastapi_onnx", "--no-access-log")
)
BENTOML = ("bentoml", "uvloop", "httptools")
LITSERVE = ("litserve",)
# MLServer 1.7 relies on an event loop that later versions of uvloop do not set
MLSERVER = ("mlserver", "uvloop<0.22")

PROBABILITY, REASONS = "probability, band", "probability, band, reasons in words"
INTENT = "intent, confidence"


def credit_risk_item(case: Loan) -> dict[str, Any]:
    """Finml's request without reasons."""
    return {"inputs": [{**case.item, "reasons": False}]}


def finml_contenders(server: Server) -> list[Contender]:
    """What finml is asked."""
    path = "/predict/credit_risk"
    return [
        Contender(
            *(server.name, server, "credit_risk", PROBABILITY, path),
            body=credit_risk_item,
            read=lambda answer: answer[0]["probability"],
        ),
        Contender(
            *(f"{server.name}, with reasons", server, "credit_risk", REASONS, path),
            body=lambda case: {"inputs": [case.item]},
            read=lambda answer: answer[0]["probability"],
        ),
        Contender(
            *(server.name, server, "intent", "intents, confidence, alternatives, scope", "/predict/intent"),
            body=lambda case: {"inputs": [{"text": case.text}]},
            read=lambda answer: answer[0]["intent"],
        ),
    ]


def row(case: Loan) -> dict[str, Any]:
    """A peer's request about a loan."""
    return {"features": case.row}


def text(case: Message) -> dict[str, Any]:
    """A peer's request about a text."""
    return {"text": case.text}


def peer(server: Server, task: Task, **given: object) -> Contender:
    """A peer that takes `row` or `text` and answers with an object."""
    names = {"credit_risk": "probability", "intent": "intent"}
    usual = {
        "answers": "probability" if task == "credit_risk" else INTENT,
        "path": "/predict",
        "body": row if task == "credit_risk" else text,
        "read": lambda answer: answer[names[task]],
    }
    return Contender(**{"name": server.name, "server": server, "task": task, **usual, **given})


PEER_CONTENDERS = [
    peer(QUICK_START, "credit_risk", path="/credit_risk"),
    peer(
        *(QUICK_START, "credit_risk"),
        name="FastAPI, quick start, contributions",
        answers="probability, XGBoost's contributions as numbers",
        path="/credit_risk_explained",
    ),
    peer(ON_ONNX, "credit_risk", path="/credit_risk"),
    peer(
        *(Server("BentoML, its batching", BENTOML, bentoml("CreditRiskPeer")), "credit_risk"),
        path="/credit_risk",
        body=lambda case: {"loans": [row(case)]},
        read=lambda answer: answer[0],
    ),
    peer(Server("LitServe, its batching", LITSERVE, litserve("credit_risk")), "credit_risk"),
    peer(
        *(Server("MLServer, its batching", MLSERVER, mlserver("credit_risk", 0.002)), "credit_risk"),
        path="/v2/models/credit_risk/infer",
        body=lambda case: _tensor("FP64", [1, len(case.vector)], case.vector),
        read=lambda answer: answer["outputs"][0]["data"][0],
    ),
    peer(QUICK_START, "intent", path="/intent"),
    peer(
        *(Server("BentoML, its batching", BENTOML, bentoml("IntentPeer")), "intent"),
        path="/intent",
        body=lambda case: {"texts": [case.text]},
        read=lambda answer: answer[0]["intent"],
    ),
    peer(Server("LitServe, its batching", LITSERVE, litserve("intent")), "intent"),
    peer(
        *(Server("MLServer, its batching", MLSERVER, mlserver("intent", 0.01)), "intent"),
        path="/v2/models/intent/infer",
        answers="intent",
        body=lambda case: _tensor("BYTES", [1, 1], [case.text]),
        read=lambda answer: answer["outputs"][0]["data"][0],
    ),
]
CONTENDERS = [*finml_contenders(ONE_SERVER), *finml_contenders(ONE_BY_ONE), *PEER_CONTENDERS]


def _tensor(kind: str, shape: Sequence[int], data: Sequence[Any]) -> dict[str, Any]:
    return {"inputs": [{"name": "given", "shape": list(shape), "datatype": kind, "data": list(data)}]}
