"""What a model is, and the catalogue of those there are.

A model is a folder below `finml/models/` whose package exposes `MODEL`, an object that follows `Model`.
Pipelines, gate, registry, packaging, serving, load test and docs find it through `catalogue()` and know
nothing else of it.
"""

import importlib
import pkgutil
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pandas as pd
from pydantic import BaseModel, ConfigDict

from finml.errors import UnknownModelError


class Interval(BaseModel):
    """A figure with its 95 % confidence interval."""

    # a figure that cannot be computed is NaN, and must read back as NaN
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    value: float
    low: float
    high: float


class GroupRow(BaseModel):
    """Fairness figures of one group of one protected attribute. Rates are shares between 0 and 1.

    `disparate_impact` is the group's rate of favourable decisions over that of the most favoured group.
    """

    model_config = ConfigDict(frozen=True)

    attribute: str
    group: str
    n: int
    selection_rate: float
    false_negative_rate: float | None
    false_positive_rate: float | None
    disparate_impact: float | None
    auc: float | None = None


class Evaluation(BaseModel):
    """What an evaluation found. Written beside the model as `evaluation.json`, read again by the gate.

    Attributes:
        metrics: figures with intervals, by name (`auc`, `ece`, …).
        scalars: figures without one (`n`, `latency_p95_ms`, `base_rate`, …).
        groups: fairness table, empty where a model decides nothing about a person.
        breakdown: the same figures for parts of the rows, as in `{"type": {"MONEY": {"f1": 0.9}}}`.
        versus_champion: challenger's metric less the champion's on the same rows, paired; empty without
            champion, and where the two cannot be compared.
        incomparable: why the champion cannot be measured on these rows, in words; empty where it can. A
            person then decides, for no figure says which of the two is better.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    model: str
    metrics: dict[str, Interval]
    scalars: dict[str, float] = {}
    groups: list[GroupRow] = []
    breakdown: dict[str, dict[str, dict[str, float]]] = {}
    versus_champion: dict[str, Interval] = {}
    incomparable: str = ""
    champion: str | None = None
    data_hash: str = ""

    def figure(self, name: str) -> float | None:
        """The metric or scalar of that name, or `None`."""
        if name in self.metrics:
            return self.metrics[name].value
        return self.scalars.get(name)


@dataclass(frozen=True)
class TrainOptions:
    """How to train.

    Attributes:
        seed: seed of every random choice.
        trials: Optuna trials; 0 trains with the declared parameters.
        timeout_s: seconds after which the search stops, or `None`.
        params: model parameters that replace the declared ones.
        checkpoints: folder that outlives the training, where one that was interrupted finds how far it came;
            `None` for a training that is not to be resumed.
    """

    seed: int = 7
    trials: int = 0
    timeout_s: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: Path | None = None


@dataclass(frozen=True)
class TrainingResult:
    """What a training wrote and wants logged.

    Attributes:
        folder: the model's files; every one is listed with its hash in `manifest.json` by the registry.
        params: parameters to log.
        metrics: training-time figures to log (never the held-out ones).
    """

    folder: Path
    params: Mapping[str, Any]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class BinaryOutcome:
    """What a model that decides between two outcomes calls its columns.

    Attributes:
        label: column of a labelled frame that holds the outcome, true or false.
        score: column of a prediction that ranks rows, the likeliest outcomes highest.
        decision: column of a prediction that holds the decision, true or false.
    """

    label: str
    score: str
    decision: str


class Predictor(Protocol):
    """A loaded model, ready to score. Holds no reference to training code."""

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Score rows: one output row an input row, in the same order."""
        ...


class Model(Protocol):
    """One of finml's models, as seen by the code that is shared by all of them.

    Attributes:
        name: its folder and its name in the registry.
        title: its name for people.
        question: what it answers, in one sentence.
        feature_service: the feature service that its training rows and requests are joined with, if any.
        binary: the columns of a yes-or-no outcome; `None` where there is no such outcome.
        companions: further files that `read` takes beside the labelled one, by name, as in `out_of_scope`.
        gate: its `gate.yaml`.
    """

    name: str
    title: str
    question: str
    feature_service: str | None
    binary: BinaryOutcome | None
    companions: Sequence[str]
    gate: Path

    def spine(self, tables: Path) -> pd.DataFrame:
        """The labelled rows of a ledger, before features are joined.

        Args:
            tables: folder of validated tables, `<table>.parquet` each.
        """
        ...

    def missing_weights(self) -> Sequence[str]:
        """Pretrained weights that training needs and this machine lacks, each in words; empty if none."""
        ...

    def training_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Check a labelled frame against the model's contract and return it coerced.

        Raises:
            DataError: a column is missing or has values that cannot be meant; names each of them.
        """
        ...

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Split into a part to train on and a held-out part that no version's training ever sees.

        Which part a subject is in must not change when rows are added: a champion is measured on it too.
        """
        ...

    def train(self, frame: pd.DataFrame, folder: Path, options: TrainOptions) -> TrainingResult:
        """Train on `frame` and write the model's files into the empty `folder`."""
        ...

    def load(self, folder: Path) -> Predictor:
        """Load a model that `train` wrote."""
        ...

    def evaluate(
        self, predictor: Predictor, frame: pd.DataFrame, *, champion: Predictor | None, seed: int
    ) -> Evaluation:
        """Measure a loaded model on labelled rows it has never seen."""
        ...

    def report(self, predictor: Predictor, frame: pd.DataFrame, evaluation: Evaluation) -> str:
        """The evaluation as one self-contained HTML page."""
        ...

    def card(self, predictor: Predictor, evaluation: Evaluation, lineage: Mapping[str, str]) -> str:
        """The model card as Markdown.

        Args:
            predictor: the loaded model.
            evaluation: what was measured on held-out rows.
            lineage: where the version comes from (data hash, commit, run …), by name.
        """
        ...

    def read(self, file: Path, companions: Mapping[str, Path] = MappingProxyType({})) -> pd.DataFrame:
        """Read a labelled file of the kind that `finml evaluate --data` and `finml run training --data` take.

        Args:
            file: the labelled file.
            companions: further files by name, of those that `companions` names.

        Returns:
            A frame that `training_frame` takes; it can be kept as Parquet.

        Raises:
            DataError: a file cannot be read or is of another kind; names it and what it lacks.
        """
        ...

    def example(self, rng: random.Random, user_ids: Sequence[str]) -> dict[str, Any]:
        """One plausible input of the HTTP API, for the quick start, load tests and docs.

        Args:
            rng: every choice is drawn from it.
            user_ids: users of the ledger, for models whose inputs name one; never empty.
        """
        ...


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Callable[[], Model]]:
    """Names of all models, each with a function that imports it. Imports none of them."""
    import finml.models as package

    def importer(name: str) -> Callable[[], Model]:
        return lambda: importlib.import_module(f"finml.models.{name}").MODEL

    return {info.name: importer(info.name) for info in pkgutil.iter_modules(package.__path__) if info.ispkg}


def get_model(name: str) -> Model:
    """The model of that name.

    Raises:
        UnknownModelError: there is none; the message lists those there are.
    """
    if name not in catalogue():
        raise UnknownModelError(f"no model is called {name!r}", hint=f"models: {', '.join(model_names())}")
    return catalogue()[name]()


def model_names() -> Sequence[str]:
    """Names of all models, sorted."""
    return sorted(catalogue())
