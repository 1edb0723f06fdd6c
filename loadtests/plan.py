"""What a load test sends: the scenario and the users asked about, handed to Locust's process as a file."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field

from finml.errors import UsageError
from finml.settings import Settings
from loadtests.scenarios import Scenario

PLAN_VARIABLE = "FINML_LOAD_PLAN"
MOST_USERS = 20_000
KINDS = ("personal", "home", "auto", "education", "business", "consumer")
TERMS = (6, 12, 24, 36, 48, 60, 120, 240)


class Plan(BaseModel):
    """A scenario with the ids that its requests name."""

    name: str
    scenario: Scenario
    user_ids: list[str] = Field(min_length=1)
    seed: int = 7

    @classmethod
    def read(cls, path: Path) -> Self:
        """The plan that `write` left."""
        return cls.model_validate_json(path.read_bytes())

    def write(self, path: Path) -> None:
        """Leave the plan for Locust's process."""
        path.write_text(self.model_dump_json(), encoding="utf-8")

    def request(self, rng: random.Random) -> tuple[str, dict[str, Any]]:
        """The next request: its path, and its body of one or more loans asked for."""
        sizes = self.scenario.sizes
        size = rng.choices(list(sizes), weights=list(sizes.values()))[0]
        action = "explain" if rng.random() < self.scenario.explain_share else "predict"
        return f"/{action}/credit_risk", {
            "inputs": [loan(rng, rng.choice(self.user_ids)) for _ in range(size)]
        }


def loan(rng: random.Random, user_id: str) -> dict[str, Any]:
    """A loan that a user might ask for: a log-normal amount, a usual term, a rate that fits its kind."""
    kind = rng.choice(KINDS)
    amount = round(min(max(rng.lognormvariate(12.2, 0.9), 10_000), 20_000_000), 2)
    term = rng.choice(TERMS)
    rate = round(rng.uniform(0.08, 0.12) if kind == "home" else rng.uniform(0.1, 0.24), 4)
    monthly = rate / 12
    return {
        "user_id": user_id,
        "loan_amount": amount,
        "term_months": term,
        "annual_rate": rate,
        "installment": round(amount * monthly / (1 - (1 + monthly) ** -term), 2),
        "loan_kind": kind,
    }


def users_of_file(path: Path) -> list[str]:
    """User ids, one a line.

    Raises:
        UsageError: the file cannot be read or holds none.
    """
    try:
        ids = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    return checked(ids, str(path))


def users_of_ledger(settings: Settings) -> list[str]:
    """The first users of the ledger in use, by id.

    Raises:
        UsageError: nothing was ingested yet.
    """
    from finml.ledger.warehouse import connect

    if not settings.workspace.warehouse.exists():
        raise UsageError("no ledger was ingested yet", hint="`finml run features`, or name --user-ids FILE")
    users = connect(settings.workspace).table("users")
    ids = users.select("user_id").order_by("user_id").limit(MOST_USERS).execute()
    return checked(ids["user_id"].tolist(), "the ledger")


def checked(ids: Sequence[str], origin: str) -> list[str]:
    """`ids`, of which there must be some."""
    if not ids:
        raise UsageError(f"{origin} holds no user ids", hint="name a file with one id a line by --user-ids")
    return list(ids)
