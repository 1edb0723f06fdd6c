"""What a caller may do: actions on models, written `credit_risk:predict`, `*:explain`, `credit_risk:*`.

`feedback` is to tell outcomes of what one has asked oneself, `feedback-all` of what anybody has. The
latter is granted by its name alone: `*` in place of an action does not include it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from finml.errors import UsageError

FEEDBACK, FEEDBACK_ALL = "feedback", "feedback-all"
ACTIONS = ("predict", "explain", FEEDBACK, FEEDBACK_ALL, "read")
ANY = "*"
# what the names of scopes in tokens begin with, beside those of other services
CLAIM_PREFIX = "finml:"
_SCOPE = re.compile(rf"(\*|[a-z][a-z0-9_]{{0,63}}):(\*|{'|'.join(ACTIONS)})")


@dataclass(frozen=True, slots=True)
class Scopes:
    """A set of scopes, each `MODEL:ACTION`; `*` is all models, or all actions but `feedback-all`."""

    granted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """The scopes that are written so.

        Raises:
            UsageError: one is no scope.
        """
        granted = frozenset(texts)
        for text in sorted(granted):
            if not _SCOPE.fullmatch(text):
                raise UsageError(
                    f"{text!r} is no scope",
                    hint=f"write MODEL:ACTION, of which each may be *; actions: {', '.join(ACTIONS)} "
                    f"(* is all but {FEEDBACK_ALL})",
                )
        return cls(_with_implied(granted))

    @classmethod
    def within(cls, claim: object) -> Self:
        """The scopes in a token's claim `scope` (RFC 8693: names between spaces), of ours only."""
        names = claim.split() if isinstance(claim, str) else []
        ours = (name.removeprefix(CLAIM_PREFIX) for name in names if name.startswith(CLAIM_PREFIX))
        return cls(_with_implied(frozenset(name for name in ours if _SCOPE.fullmatch(name))))

    def allow(self, model: str, action: str) -> bool:
        """Whether the action on the model is granted. Asked for model `*`: whether it is on any model."""
        granted = self.granted
        if f"{model}:{action}" in granted or f"*:{action}" in granted:
            return True
        # a key for everything is soon made and handed on: that alone shall spoil nobody's comparison
        by_any = action != FEEDBACK_ALL
        if by_any and (f"{model}:*" in granted or "*:*" in granted):
            return True
        names = (f":{action}", ":*") if by_any else (f":{action}",)
        return model == ANY and any(scope.endswith(names) for scope in granted)


def _with_implied(granted: frozenset[str]) -> frozenset[str]:
    """Who may tell of anybody's predictions may tell of its own."""
    wider = [scope.removesuffix(FEEDBACK_ALL) for scope in granted if scope.endswith(f":{FEEDBACK_ALL}")]
    return granted | {f"{model}{FEEDBACK}" for model in wider}
