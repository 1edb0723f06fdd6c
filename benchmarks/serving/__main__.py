"""finml's service beside its peers: requests a second, p50, p99, and what is left of the model's own speed.

    python -m benchmarks.serving [--quick] [--only NAME] [--tasks credit_risk,intent] [--cache FOLDER]

Serves the newest Bento of FINML_HOME, whose key file gets a key while it lasts, and the same models by
FastAPI, BentoML's batching, LitServe and MLServer, each in an environment of its own below the cache folder
(made at the first run; skipped with the reason where it cannot be). Every server has two workers of one
thread. One after the other they are started, checked for right answers, and loaded by wrk with 1, 16 and 64
connections that are kept; then all of it again. Medians go to `benchmarks/results/serving.json` and, as
tables, to the standard output. wrk runs on the same cores: its share of one is measured too. With --quick
one short turn, which writes nothing.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.results import FOLDER
from benchmarks.serving import load, page
from benchmarks.serving.cases import loans, messages, model_folders
from benchmarks.serving.contenders import CONTENDERS, Contender
from benchmarks.serving.criteria import criteria
from benchmarks.serving.environments import InstallError, environment, versions
from benchmarks.serving.measuring import Bench, Plan
from finml.access.key_store import KeyStore
from finml.logs import configure_logging
from finml.models.credit_risk.runtime import CreditRiskPredictor
from finml.models.credit_risk.scoring import MARGIN_FILE
from finml.models.intent.runtime import IntentPredictor
from finml.settings import Settings, get_settings

FILE = FOLDER / "serving.json"
CACHE = Path.home() / ".cache" / "finml-benchmarks"
QUICK = Plan(repetitions=1, seconds=2, warm_up_s=1)


def main() -> int:
    """Measure and write; 1 where a criterion does not hold."""
    options = parser().parse_args()
    if why := load.available():
        print(why, file=sys.stderr)
        return 2
    settings = get_settings()
    configure_logging(settings)
    chosen = [
        each
        for each in CONTENDERS
        if each.task in options.tasks.split(",") and options.only.lower() in each.server.name.lower()
    ]
    models = model_folders(settings.bento_home)
    if not (models["credit_risk"] / MARGIN_FILE).exists():
        print(
            f"{models['credit_risk']} has no {MARGIN_FILE}: train credit_risk and release again",
            file=sys.stderr,
        )
        return 2
    cases = {
        "credit_risk": loans(CreditRiskPredictor.load(models["credit_risk"])),
        "intent": messages(IntentPredictor.load(models["intent"])),
    }
    plan = QUICK if options.quick else Plan(repetitions=options.repetitions)
    with api_key(settings) as key:
        findings = Bench(settings, models, cases, options.cache, key).measure(chosen, plan)
    found = criteria(findings, chosen)
    print(f"\n{page.tables(findings, chosen, plan)}\n\n{page.verdicts(found)}")
    if not options.quick and not options.only:
        document = page.document(findings, found, plan, peer_versions(chosen, options.cache))
        beside = FILE.with_suffix(".part")
        beside.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        beside.replace(FILE)
    return 0 if all(each.passed for each in found) else 1


@contextmanager
def api_key(settings: Settings) -> Iterator[str]:
    """An API key that finml's guards let through, for as long as the block lasts."""
    store = KeyStore(settings)
    key = store.create("benchmark", ["*:predict"])
    try:
        yield key.text
    finally:
        store.revoke(key.record.id)


def peer_versions(contenders: list[Contender], cache: Path) -> dict[str, dict[str, str]]:
    """What each peer's environment holds."""
    found = {}
    for server in {each.server.name: each.server for each in contenders if each.server.packages}.values():
        try:
            python = environment(cache, server.name.split(",")[0].lower(), server.packages)
        except InstallError:
            continue
        found[server.name] = versions(python, [*server.packages, "onnxruntime"])
    return found


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.serving", description=__doc__.splitlines()[0]
    )
    options.add_argument("--quick", action="store_true", help="one short turn, which writes nothing")
    options.add_argument("--only", default="", help="servers whose name holds this; writes nothing")
    options.add_argument("--tasks", default="credit_risk,intent")
    options.add_argument("--repetitions", type=int, default=Plan.repetitions)
    options.add_argument("--cache", type=Path, default=CACHE, help="folder of the peers' environments")
    return options


if __name__ == "__main__":
    sys.exit(main())
