"""Quality and speed of `intent` on public data, against logistic regression on the frozen transformer.

    python -m benchmarks.intent FOLDER [--only banking77] [--models FOLDER]

FOLDER holds `banking77/`, `clinc150_finance/` and `nlupp_banking/`; see docs/data.md. Banking77 and NLU++ are
split by the model's own hash of the text; CLINC comes split. Everything that is measured is the int8 model as
it is served. The baseline gets the same texts to learn from, and the best of three regularizations on the
texts that it is measured on. Results go to `benchmarks/results/intent.json`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.results import FOLDER, Row, write
from finml.logs import configure_logging
from finml.models import statistics
from finml.models.base import Evaluation, Interval, TrainOptions, get_model
from finml.models.intent.evaluation import judged
from finml.models.intent.figures import Judged, compare
from finml.models.intent.frames import checked
from finml.models.intent.runtime import INFO_FILE, IntentPredictor
from finml.models.intent.targets import indicators, known_labels
from finml.models.intent.texts import LEAST_LENGTH
from finml.registry.gate import Gate, judge
from finml.settings import Settings, get_settings

MODEL = get_model("intent")
BASELINE = "frozen MiniLM + logistic regression"
REGULARIZATION = (1.0, 10.0, 100.0)
BATCH = 32  # inputs of the largest request

Parts = tuple[pd.DataFrame, pd.DataFrame]


def banking77(folder: Path) -> Parts:
    """Banking77, split by the model."""
    return MODEL.split(MODEL.read(folder / "banking77" / "queries.csv"))


def clinc150(folder: Path) -> Parts:
    """CLINC150's finance domains as they come split, each part with its texts out of scope."""
    source = folder / "clinc150_finance"
    parts = [
        MODEL.read(source / f"{part}.csv", {"out_of_scope": source / f"out_of_scope_{part}.csv"})
        for part in ("train", "val")
    ]
    return parts[0], parts[1]


def nlupp(folder: Path) -> Parts:
    """NLU++ banking, whose texts have several intents, split by the model. Short texts are left out."""
    rows = [
        {"text": row["text"], "intent": "|".join(row["intents"])}
        for fold in sorted((folder / "nlupp_banking").glob("fold*.json"))
        for row in json.loads(fold.read_text(encoding="utf-8"))
        if row.get("intents") and len(row["text"].strip()) >= LEAST_LENGTH
    ]
    frame = checked(pd.DataFrame(rows))
    labels = frame["intent"].str.split("|", regex=False)
    counts = labels.explode().value_counts()
    # an intent with a dozen texts or fewer can neither be learnt nor measured
    common = labels.map(lambda found: all(counts[label] > 12 for label in found))
    return MODEL.split(frame[common].reset_index(drop=True))


DATA: Mapping[str, tuple[str, Callable[[Path], Parts]]] = {
    "banking77": ("Banking77, own test split", banking77),
    "clinc150": ("CLINC150 finance, val.csv", clinc150),
    "nlupp": ("NLU++ banking (several intents a text), own test split", nlupp),
}


def main() -> None:
    """Train, measure, compare, print, and keep the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER")
    parser.add_argument("--only", choices=list(DATA), action="append", help="can be repeated")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="keep the models, and use those there")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    configure_logging(Settings(_env_file=None, log_level="INFO"))
    wanted = arguments.only or list(DATA)
    kept = FOLDER / "intent.json"
    rows: list[Row] = []
    if kept.is_file():
        names = [DATA[name][0] for name in wanted]
        rows = [
            row
            for row in map(Row.model_validate, json.loads(kept.read_text(encoding="utf-8")))
            if not any(row.data.startswith(name) for name in names)
        ]
    with tempfile.TemporaryDirectory() as scratch:
        for name in wanted:
            title, load = DATA[name]
            rows += measured(
                title, load(arguments.data), (arguments.models or Path(scratch)) / name, arguments.seed
            )
    write(
        "intent",
        sorted(
            rows, key=lambda row: [title for title, _ in DATA.values()].index(row.data.rpartition(" of ")[0])
        ),
    )
    for row in rows:
        print(
            row.data, row.metric, f"{row.figure:.4f}", f"{row.low or 0:.4f} to {row.high or 0:.4f}", row.note
        )


def measured(title: str, parts: Parts, folder: Path, seed: int) -> list[Row]:
    """The results on one data set."""
    train, test = parts
    if not (folder / INFO_FILE).is_file():
        MODEL.train(train, folder, TrainOptions(seed=seed, checkpoints=folder.parent / "checkpoints"))
    predictor = IntentPredictor.load(folder)
    found = MODEL.evaluate(predictor, test, champion=None, seed=seed)
    verdict = judge(Gate.load(MODEL.gate), found)
    print(f"\n## {title}: {len(train):,} texts to train on, {len(test):,} held out\n\n{verdict.summary}\n")
    folder.with_suffix(".html").write_text(MODEL.report(predictor, test, found), encoding="utf-8")
    return rows_of(
        f"{title} of {len(test):,}", predictor, test, found, baseline(train, test, predictor), seed
    )


def rows_of(  # noqa: PLR0917  # a row is made of all this
    data: str,
    predictor: IntentPredictor,
    test: pd.DataFrame,
    found: Evaluation,
    plain: tuple[Judged, float | None],
    seed: int,
) -> list[Row]:
    """Figures beside the baseline's as rows of the table."""
    theirs, plain_auroc = plain
    targets = indicators(test, predictor.labels)
    texts = test["text"].tolist()
    delta = compare(judged(predictor, predictor.score(texts), targets), theirs, seed=seed)
    plain_figures = {
        name: float(value[0]) for name, value in theirs.figures(np.ones((1, len(theirs.hit)))).items()
    }
    gates = {
        "accuracy": "at least 0.7",
        "micro_f1": "at least 0.8",
        "macro_f1": "at least 0.75",
        "ece": "low end at most 0.03, at most 0.06",
    }
    gates["int8_accuracy_loss"] = "low end at most 0.005, at most 0.015"
    training = predictor.info["training"]
    several = training["multiple"]
    metrics = ["micro_f1", "accuracy"] if several else ["accuracy", "macro_f1"]
    rows = []
    for name in [*metrics, "ece"]:
        figure, less = found.metrics[name], delta[name]
        rows.append(
            Row(
                model="intent",
                data=data,
                metric=name,
                baseline_name=BASELINE,
                baseline=plain_figures[name],
                figure=figure.value,
                low=figure.low,
                high=figure.high,
                gate=gates.get(name, ""),
                speed=speed(predictor, texts) if name == metrics[0] else "",
                note=f"{data}: {name} less the baseline's {written(less)}",
            )
        )
    loss = found.metrics["int8_accuracy_loss"]
    rows.append(
        Row(
            model="intent",
            data=data,
            metric="int8_accuracy_loss",
            figure=loss.value,
            low=loss.low,
            high=loss.high,
            gate=gates["int8_accuracy_loss"],
            speed="",
            note=f"{data}: trained in {training['seconds']:,.0f} s, {training['epochs']} epochs, twice",
        )
    )
    if "oos_auroc" in found.metrics:
        auroc = found.metrics["oos_auroc"]
        rows.append(
            Row(
                model="intent",
                data=data,
                metric="oos_auroc",
                baseline_name=f"{BASELINE}, largest probability",
                baseline=plain_auroc,
                figure=auroc.value,
                low=auroc.low,
                high=auroc.high,
                note=f"{data}: {found.metrics['oos_recall'].value:.3f} of the texts out of scope are found, "
                f"{found.scalars['in_scope_rejected']:.3f} of those in scope rejected",
            )
        )
    return rows


def written(figure: Interval) -> str:
    """A difference with its interval."""
    return f"{figure.value:+.4f} ({figure.low:+.4f} to {figure.high:+.4f})"


def baseline(
    train: pd.DataFrame, test: pd.DataFrame, predictor: IntentPredictor
) -> tuple[Judged, float | None]:
    """Logistic regression on the frozen transformer's embeddings: its answers, and its AUROC of scope."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    from finml.models.intent.network import Network, embeddings, load_encoder
    from finml.models.intent.weights import base_model

    encoder, tokenizer = load_encoder(base_model(get_settings()))
    network = Network(encoder, 2)
    labels = known_labels(train)
    several = predictor.head.multiple
    x, y = {}, {}
    for part, frame in (("train", train), ("test", test)):
        tokens = [encoding.ids for encoding in tokenizer.encode_batch(frame["text"].tolist())]
        x[part], y[part] = embeddings(network, tokens, bf16=False), indicators(frame, labels)
    known = y["train"].any(axis=1)
    inside = y["test"].any(axis=1)
    best: tuple[float, Judged, np.ndarray] | None = None
    for strength in REGULARIZATION:
        single = LogisticRegression(C=strength, max_iter=2000)
        model = OneVsRestClassifier(single) if several else single
        model.fit(x["train"][known], y["train"][known] if several else y["train"][known].argmax(axis=1))
        probability = model.predict_proba(x["test"])
        top = np.arange(len(labels)) == probability.argmax(axis=1)[:, None]
        decided = (top | (probability >= 0.5)) if several else top
        answers = Judged.of(y["test"][inside], probability[inside], decided[inside])
        figure = float(answers.figures(np.ones((1, int(inside.sum()))))["micro_f1"][0])
        print(f"{BASELINE}, C = {strength:g}: {figure:.4f}", flush=True)
        if best is None or figure > best[0]:
            best = (figure, answers, probability.max(axis=1))
    if best is None:
        raise AssertionError("there are regularizations")
    auroc = None if inside.all() else float(statistics.measure(inside, best[2], resamples=10)["auc"].value)
    return best[1], auroc


def speed(predictor: IntentPredictor, texts: list[str]) -> str:
    """Texts a second on one thread, one at a time and in requests of `BATCH`; the best of three passes."""
    some = (texts * (1 + 320 // len(texts)))[:320]
    found = {}
    for size in (1, BATCH):
        passes = []
        for _ in range(3):
            begun = time.perf_counter()
            for start in range(0, len(some), size):
                predictor.answer(some[start : start + size])
            passes.append(len(some) / (time.perf_counter() - begun))
        found[size] = max(passes)
    return f"{found[1]:,.0f} texts/s one by one, {found[BATCH]:,.0f} in requests of {BATCH} (int8, 1 thread)"


if __name__ == "__main__":
    main()
