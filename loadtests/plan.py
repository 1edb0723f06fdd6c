"""What a load test sends: the scenario, models and users, handed to Locust's processes as one document."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field

from finml.errors import UsageError
from finml.models.base import get_model
from finml.settings import Settings
from loadtests.scenarios import Scenario

PLAN_VARIABLE = "FINML_LOAD_PLAN"
RECORDING_VARIABLE = "FINML_LOAD_RECORDING"
KEY_VARIABLE = "FINML_API_KEY"
MOST_USERS = 20_000


class Plan(BaseModel):
    """A scenario with the models that its requests ask, by weight, and the ids that they name."""

    name: str
    scenario: Scenario
    models: dict[str, float] = Field(min_length=1)
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
        """The next request: its path, and its body of one or more inputs of one model."""
        sizes = self.scenario.sizes
        size = rng.choices(list(sizes), weights=list(sizes.values()))[0]
        action = "explain" if rng.random() < self.scenario.explain_share else "predict"
        name = rng.choices(list(self.models), weights=list(self.models.values()))[0]
        model = get_model(name)
        return f"/{action}/{name}", {"inputs": [model.example(rng, self.user_ids) for _ in range(size)]}


def models_of(scenario: Scenario, served: Sequence[str]) -> dict[str, float]:
    """The served models that a scenario asks, each with its weight.

    Raises:
        UsageError: none of its mix is served, or a model of its mix does not exist.
    """
    for name in scenario.mix:
        get_model(name)
    asked = {name: scenario.mix.get(name, 0.0) if scenario.mix else 1.0 for name in served}
    asked = {name: weight for name, weight in asked.items() if weight}
    if not asked:
        raise UsageError(
            "the service serves none of the scenario's models",
            hint=f"it serves {', '.join(served) or 'nothing'}; change the scenario's mix",
        )
    return asked


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
