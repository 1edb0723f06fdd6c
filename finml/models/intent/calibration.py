"""What is fitted to validation texts once the network is trained: temperature, cutoff, what is in scope."""

from dataclasses import replace

import numpy as np
import structlog

from finml.models.intent.contract import ALTERNATIVES
from finml.models.intent.head import SCOPE_SCORES, Floats, Head, Indicators, ScopeKind
from finml.models.intent.targets import in_scope

REJECTED = 0.05
"""Most texts in scope that may be taken for out of scope, as a share; exactly so many without examples."""
LEAST_OUTLIERS = 5
"""Texts out of scope from which on they are what decides."""
WITHOUT_OUTLIERS: ScopeKind = "logit"
CUTOFFS = np.linspace(0.1, 0.9, 81)

log = structlog.get_logger(__name__)


def calibrated(head: Head, embedding: Floats, targets: Indicators) -> Head:
    """A head with temperature, cutoff and scope that suit n validation texts.

    Args:
        head: trained, of temperature 1.
        embedding: (n, d) embeddings of the texts.
        targets: (n, k) which intents each has; none where it is out of scope.
    """
    inside = in_scope(targets)
    logits = head.logits(embedding)
    if head.multiple:
        temperature, shift = fit_scaling(logits[inside], targets[inside])
        found = replace(head, temperature=temperature, shift=shift)
    else:
        found = replace(head, temperature=fit_temperature(logits[inside], targets[inside]))
    logits = found.logits(embedding)
    if head.multiple:
        cutoff = fit_cutoff(found.probabilities(logits[inside]), targets[inside])
        found = replace(found, cutoff=cutoff)
    kind, threshold = choose_scope(found, logits[inside], logits[~inside])
    return replace(found, scope=kind, scope_threshold=threshold)


def fit_temperature(logits: Floats, targets: Indicators) -> float:
    """The temperature that makes the intents of n texts in scope likeliest, from (n, k) logits.

    One text's worth of doubt is added: n right answers do not make the next one certain.
    """
    from scipy.optimize import minimize_scalar

    texts, classes = targets.shape
    doubt = 1 / (texts + 2)
    wanted = targets / targets.sum(axis=1, keepdims=True) * (1 - doubt) + doubt / classes

    def loss(logarithm: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(logarithm)
        return float((np.logaddexp.reduce(scaled, axis=1) - (wanted * scaled).sum(axis=1)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def fit_scaling(logits: Floats, targets: Indicators) -> tuple[float, float]:
    """Temperature and shift of yes-or-no probabilities (Platt 1999), from (n, k) logits of texts in scope.

    Fitted to the intents that answers show: the many that are out of the question would decide otherwise.
    Doubt is added as for `fit_temperature`.
    """
    from scipy.optimize import minimize

    shown = np.argsort(-logits, axis=1)[:, :ALTERNATIVES]
    score = np.take_along_axis(logits, shown, axis=1).astype(np.float64)
    doubt = 1 / (len(logits) + 2)
    wanted = np.take_along_axis(targets, shown, axis=1) * (1 - doubt) + doubt / 2

    def loss(parameters: Floats) -> float:
        scaled = score / np.exp(parameters[0]) + parameters[1]
        return float((np.logaddexp(0, scaled) - wanted * scaled).mean())

    logarithm, shift = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(logarithm)), float(shift)


def fit_cutoff(probabilities: Floats, targets: Indicators) -> float:
    """The probability from which to say yes to an intent, so that micro-F1 over n texts is best."""
    said = [probabilities >= cutoff for cutoff in CUTOFFS]
    f1 = [2 * (targets & yes).sum() / (targets.sum() + yes.sum()) for yes in said]
    # the middle of the best stretch, not its edge
    best = np.flatnonzero(np.asarray(f1) >= max(f1) - 1e-9)
    return float(CUTOFFS[best[len(best) // 2]])


def choose_scope(head: Head, inside: Floats, outside: Floats) -> tuple[ScopeKind, float]:
    """The score that tells texts in and out of scope apart best, and the threshold on it.

    Args:
        head: calibrated.
        inside: (n, k) logits of texts in scope.
        outside: (m, k) logits of texts out of scope; with too few of them a fixed share of those in scope is
            rejected.
    """
    if len(outside) < LEAST_OUTLIERS:
        scores = SCOPE_SCORES[WITHOUT_OUTLIERS](head, inside)
        return WITHOUT_OUTLIERS, float(np.quantile(scores, REJECTED))
    pairs = {kind: (score(head, inside), score(head, outside)) for kind, score in SCOPE_SCORES.items()}
    auroc = {kind: _auroc(*pair) for kind, pair in pairs.items()}
    best = max(auroc, key=lambda kind: auroc[kind])
    log.info("scope_chosen", kind=best, auroc=auroc)
    kept, rejected = pairs[best]
    candidates = np.quantile(kept, np.linspace(0, REJECTED, 51))
    gained = [(rejected < threshold).mean() - (kept < threshold).mean() for threshold in candidates]
    return best, float(candidates[int(np.argmax(gained))])


def _auroc(inside: Floats, outside: Floats) -> float:
    """How often a text in scope scores higher than one that is not."""
    less = np.searchsorted(np.sort(outside), inside, side="left").sum()
    tied = np.searchsorted(np.sort(outside), inside, side="right").sum()
    return float((less + tied) / 2 / (len(inside) * len(outside)))
