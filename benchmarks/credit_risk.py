"""Quality of `credit_risk` on public data, against plain XGBoost on the raw columns of the same loans.

    python -m benchmarks.credit_risk --data FOLDER

FOLDER holds `taiwan_credit_default/` and `berka/`; see docs/data.md. Taiwan: a quarter of the clients is
held out, both models are measured on it, and the difference is paired. The raw columns are the file's own,
with and without sex, education, marriage and age. Berka has 30 defaults: cross-validated by user, again and
again with other folds. All goes through the functions that the pipelines call, in a home of its own.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import Row, write
from feature_repo import definitions
from finml.features.build import build
from finml.features.store import apply, training_set
from finml.ledger.importers.berka import import_berka
from finml.ledger.importers.taiwan import import_taiwan
from finml.ledger.ingest import ingest
from finml.ledger.warehouse import export
from finml.ledger.writer import LedgerWriter, open_writer
from finml.logs import configure_logging
from finml.models.base import Interval, Predictor, TrainOptions, get_model
from finml.models.credit_risk.sampling import user_folds
from finml.models.statistics import ScoredRows, compare, interval, measure, resample_weights
from finml.registry.gate import Gate, judge
from finml.settings import Settings

MODEL = get_model("credit_risk")
RAW_PROTECTED = ["SEX", "EDUCATION", "MARRIAGE", "AGE"]
RAW_LABEL = "default.payment.next.month"
# 200 trees of depth 4; the learning rate is the best of XGBoost's 0.3, 0.1 and 0.05 on these columns
RAW_TREES = 200
RAW_PARAMETERS = {"max_depth": 4, "eta": 0.05, "objective": "binary:logistic", "nthread": 1}


def labelled(home: Path, name: str, write: Callable[[Path, LedgerWriter], Any], data: Path) -> pd.DataFrame:
    """All labelled rows of a public data set, by import, ingestion, feature build and point-in-time join."""
    settings = Settings(
        _env_file=None, home=home / name, ledger_url=str(home / name / "source"), log_level="WARNING"
    )
    configure_logging(settings)
    with open_writer(settings.ledger, origin=name) as writer:
        write(data, writer)
    ingest(settings.ledger, settings.workspace, quarantine_limit=settings.quarantine_limit)
    tables = settings.home / "tables"
    export(settings.workspace, tables)
    build(tables, settings)
    repo = definitions(settings)
    apply(settings, repo)
    return MODEL.training_frame(training_set(settings, repo, str(MODEL.feature_service), MODEL.spine(tables)))


def trained(rows: pd.DataFrame, folder: Path, seed: int, trials: int = 0) -> Predictor:
    """A model trained on some rows, loaded again."""
    MODEL.train(rows, folder, TrainOptions(seed=seed, trials=trials))
    return MODEL.load(folder)


def raw_probabilities(
    file: Path,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    *,
    protected: bool,
    parameters: Mapping[str, Any] = RAW_PARAMETERS,
    trees: int = RAW_TREES,
) -> "np.ndarray[Any, Any]":
    """Probabilities of the held-out clients by XGBoost on the file's own columns."""
    import xgboost

    raw = pd.read_csv(file)
    raw.index = pd.Index("taiwan-c" + raw.pop("ID").astype(str))
    label = raw.pop(RAW_LABEL)
    if not protected:
        raw = raw.drop(columns=RAW_PROTECTED)
    fitted, scored = train["user_id"], held_out["user_id"]
    booster = xgboost.train(dict(parameters), xgboost.DMatrix(raw.loc[fitted], label.loc[fitted]), trees)
    return np.asarray(booster.predict(xgboost.DMatrix(raw.loc[scored])))


def taiwan(rows: pd.DataFrame, file: Path, home: Path, seed: int, trials: int) -> list[Row]:
    """Print figures, differences to the raw baselines and the fairness table; return the two that count."""
    train, held_out = MODEL.split(rows)
    predictor = trained(train, home / "taiwan_model", seed, trials)
    evaluation = MODEL.evaluate(predictor, held_out, champion=None, seed=seed)
    verdict = judge(Gate.load(MODEL.gate), evaluation)
    print(f"\n## Taiwan: {len(train):,} clients to train on, {len(held_out):,} held out (seed {seed})\n")
    print("| model | AUC | calibration error | log loss | AUC less this model's |")
    print("|---|---|---|---|---|")
    label, ours = held_out["defaulted"], predictor.predict(held_out)["probability"]
    print(
        "| credit_risk |",
        " | ".join(written(evaluation.metrics[key]) for key in ("auc", "ece", "log_loss")),
        "| |",
    )
    # the second pair tells what better parameters bring from what the ledger's features bring
    training = json.loads((home / "taiwan_model" / "model.json").read_text())["training"]
    tuned = {
        "parameters": {**RAW_PARAMETERS, **training["parameters"]},
        "trees": training["rounds"],
    }
    plain: dict[str, Interval] = {}
    for name, protected, how in (
        ("plain, raw columns", True, {}),
        ("plain, raw columns without protected", False, {}),
        ("this model's parameters, raw columns", True, tuned),
        ("this model's parameters, raw columns without protected", False, tuned),
    ):
        theirs = raw_probabilities(file, train, held_out, protected=protected, **how)
        figures = measure(label, theirs, seed=seed)
        plain = plain or figures
        delta = compare(label, theirs, ours, seed=seed)["auc"]
        print(
            f"| {name} |",
            " | ".join(written(figures[key]) for key in ("auc", "ece", "log_loss")),
            f"| {written(delta)} |",
        )
    print(f"\ngate: {verdict.summary}\n")
    print("| attribute | group | n | not flagged | disparate impact | FNR | FPR | AUC |")
    print("|---|---|---|---|---|---|---|---|")
    for row in evaluation.groups:
        rates = (
            row.selection_rate,
            row.disparate_impact,
            row.false_negative_rate,
            row.false_positive_rate,
            row.auc,
        )
        cells = ["-" if rate is None else f"{rate:.3f}" for rate in rates]
        print(f"| {row.attribute} | {row.group} | {row.n} |", " | ".join(cells), "|")
    data = f"Taiwan default of credit card clients, {len(held_out):,} held out by user"
    speed = f"{evaluation.scalars['latency_p50_ms']:.2f} ms a row with reasons, one thread"
    plain_name = "XGBoost on the raw columns, protected ones included"
    auc, ece = ((evaluation.metrics[name], plain[name].value) for name in ("auc", "ece"))
    return [
        row_of(data, "AUC", auc[0], baseline_name=plain_name, baseline=auc[1], gate=">= 0.65", speed=speed),
        row_of(data, "ECE", ece[0], baseline_name=plain_name, baseline=ece[1], gate="low end <= 0.03"),
    ]


def row_of(data: str, metric: str, found: Interval, **more: Any) -> Row:  # noqa: ANN401  # fields of a Row
    """A figure for `docs/models.md`."""
    return Row(
        model=MODEL.name,
        data=data,
        metric=metric,
        figure=found.value,
        low=found.low,
        high=found.high,
        **more,
    )


def cross_validated(rows: pd.DataFrame, home: Path, seed: int) -> "np.ndarray[Any, Any]":
    """Each row's probability by a model that was trained without its user: five folds."""
    probability = np.zeros(len(rows))
    for number, (fitted, held_out) in enumerate(user_folds(rows["user_id"], rows["defaulted"], 5, seed)):
        predictor = trained(rows.iloc[fitted], home / f"fold_{number}", seed)
        probability[held_out] = predictor.predict(rows.iloc[held_out])["probability"]
    return probability


def berka(rows: pd.DataFrame, home: Path, seed: int, repeats: int) -> list[Row]:
    """Print the cross-validated figures, averaged over the repeats; return the AUC."""
    scored = []
    for repeat in range(repeats):
        probability = cross_validated(rows, home / f"berka_models_{repeat}", seed + repeat)
        scored.append(ScoredRows.of(rows["defaulted"], probability))
    bad = rows["defaulted"].sum()
    print(f"\n## Berka: {len(rows)} loans, {bad} defaults, 5 folds by user, {repeats} times\n")
    print("| figure | mean over the repeats, 95 % interval over loans | least | most |")
    print("|---|---|---|---|")
    whole = [one.figures(np.ones((1, len(rows)))) for one in scored]
    drawn = [
        [one.figures(weights) for one in scored]
        for weights in resample_weights(len(rows), rows["user_id"], seed, 1000)
    ]
    shown = {}
    for name in ("auc", "average_precision", "ks", "brier", "log_loss", "ece"):
        values = [float(figures[name][0]) for figures in whole]
        means = np.concatenate([np.mean([one[name] for one in chunk], axis=0) for chunk in drawn])
        found = interval(float(np.mean(values)), means, least=0.0)
        shown[name] = found
        print(f"| {name} | {written(found)} | {min(values):.4f} | {max(values):.4f} |")
    data = f"Berka, {len(rows)} loans of which {bad} defaulted, {repeats} x 5 folds by user"
    return [row_of(data, "AUC", shown["auc"])]


def written(figure: Interval | None) -> str:
    """A figure with its interval."""
    return "-" if figure is None else f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f})"


def main() -> None:
    """Read the arguments and print one section a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the public data sets")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--trials", type=int, default=0, help="trials of the search on Taiwan")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of Berka's cross-validation")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        source = arguments.data / "taiwan_credit_default"
        rows = labelled(home, "taiwan", import_taiwan, source)
        file = source / "credit_card_clients.csv"
        kept = taiwan(rows, file, home, arguments.seed, arguments.trials)
        rows = labelled(home, "berka", import_berka, arguments.data / "berka")
        kept += berka(rows, home, arguments.seed, arguments.repeats)
    print(f"\nkept in {write(MODEL.name, kept)}")


if __name__ == "__main__":
    main()
