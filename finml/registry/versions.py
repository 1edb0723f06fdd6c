"""Versions of a model: what their tags say, and how `credit_risk@champion` becomes one of them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, computed_field

from finml.errors import RegistryError, UsageError
from finml.registry.client import check_name, connect, is_missing
from finml.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

Alias = Literal["candidate", "challenger", "champion", "previous"]
ALIASES: tuple[Alias, ...] = ("candidate", "challenger", "champion", "previous")
SPEC = re.compile(r"(?P<name>[^@]+)(?:@(?P<selector>[^@]+))?")
APPROVAL_TAG = "finml.approval"
GATE_TAG = "finml.gate"
VERDICT_TAG = "finml.verdict"
TEXT_TAGS = (
    "gate",
    "manifest_sha256",
    "data_hash",
    "data_file",
    "ledger",
    "ledger_id",
    "project",
    "feature_service",
    "feature_service_version",
    "pipeline_run",
    "git_commit",
    "python",
)
PAGE = 200


class Approval(BaseModel):
    """Whether a version may be used, who said so and why; `who` is `gate` where nobody had to be asked."""

    model_config = ConfigDict(frozen=True)

    decision: Literal["pending", "approved", "rejected"]
    who: str = ""
    at: datetime | None = None
    why: str = ""


class Version(BaseModel):
    """One registered version. Texts are empty where nothing was recorded."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    run_id: str
    created_at: datetime
    aliases: list[str] = []
    gate: str = ""
    approval: Approval = Approval(decision="pending")
    manifest_sha256: str = ""
    data_hash: str = ""
    data_file: str = ""
    ledger: str = ""
    ledger_id: str = ""
    project: str = ""
    feature_service: str = ""
    feature_service_version: str = ""
    pipeline_run: str = ""
    git_commit: str = ""
    git_dirty: bool = False
    python: str = ""
    seed: int | None = None

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorators on properties
    @property
    def spec(self) -> str:
        """Name and number, as in `credit_risk@7`."""
        return f"{self.name}@{self.version}"


class ModelEntry(BaseModel):
    """A registered model with its aliases and all its versions, newest first."""

    name: str
    candidate: int | None = None
    challenger: int | None = None
    champion: int | None = None
    previous: int | None = None
    versions: list[Version] = []


def parse_spec(spec: str) -> tuple[str, int | Alias]:
    """Name and number or alias of `NAME@7` and `NAME@champion`; `NAME` alone means the champion.

    Raises:
        UsageError: it is none of these.
    """
    match = SPEC.fullmatch(spec)
    selector = match["selector"] or "champion" if match else ""
    if match and selector.isascii() and selector.isdigit() and 0 < int(selector) < 2**31:
        return check_name(match["name"]), int(selector)
    for alias in ALIASES:
        if match and selector == alias:
            return check_name(match["name"]), alias
    raise UsageError(
        f"{spec!r} does not name a version",
        hint="use NAME@NUMBER or NAME@candidate, NAME@challenger, NAME@champion, NAME@previous; "
        "NAME alone is the champion",
    )


def resolve(settings: Settings, spec: str) -> Version:
    """The version that a spec means now.

    Raises:
        UsageError: the spec cannot be understood.
        RegistryError: there is no such model, version or alias; the hint lists those there are.
    """
    with connect(settings) as client:
        return find(client, *parse_spec(spec))


def list_models(settings: Settings, name: str | None = None) -> list[ModelEntry]:
    """Every registered model, or the one of that name, with its versions.

    Raises:
        RegistryError: a name was given and no such model is registered.
    """
    with connect(settings) as client:
        names = [check_name(name)] if name else registered_names(client)
        return [entry(client, each) for each in names]


def find(client: "MlflowClient", name: str, selector: int | Alias) -> Version:
    """The version of that number or alias, see `resolve`."""
    from mlflow.exceptions import MlflowException

    aliases = aliases_of(client, name)
    if isinstance(selector, str) and selector not in aliases:
        existing = ", ".join(f"{alias} is version {number}" for alias, number in sorted(aliases.items()))
        raise RegistryError(
            f"{name} has no {selector}", hint=existing or f"`finml models list {name}` shows its versions"
        )
    number = aliases[selector] if isinstance(selector, str) else selector
    try:
        return from_mlflow(client.get_model_version(name, str(number)), aliases)
    except MlflowException as error:
        if not is_missing(error):
            raise
    numbers = ", ".join(str(version.version) for version in versions_of(client, name, aliases))
    raise RegistryError(f"{name} has no version {number}", hint=f"its versions: {numbers or 'none yet'}")


def entry(client: "MlflowClient", name: str) -> ModelEntry:
    """A registered model with its versions."""
    aliases = aliases_of(client, name)
    known = {alias: aliases[alias] for alias in ALIASES if alias in aliases}
    return ModelEntry(name=name, versions=versions_of(client, name, aliases), **known)


def aliases_of(client: "MlflowClient", name: str) -> dict[str, int]:
    """Version numbers by alias.

    Raises:
        RegistryError: no such model is registered; the hint lists those that are.
    """
    from mlflow.exceptions import MlflowException

    try:
        aliases = client.get_registered_model(name).aliases
    except MlflowException as error:
        if not is_missing(error):
            raise
        names = ", ".join(registered_names(client))
        raise RegistryError(
            f"no model {name!r} is registered",
            hint=f"registered: {names}" if names else f"train one: `finml run training --model {name}`",
        ) from None
    return {alias: int(number) for alias, number in aliases.items()}


def versions_of(client: "MlflowClient", name: str, aliases: dict[str, int]) -> list[Version]:
    """All versions of a model, newest first."""
    found = all_pages(client.search_model_versions, f"name = '{name}'")
    return sorted((from_mlflow(item, aliases) for item in found), key=lambda version: -version.version)


def registered_names(client: "MlflowClient") -> list[str]:
    """Names of all registered models, sorted."""
    return sorted(model.name for model in all_pages(client.search_registered_models, None))


def from_mlflow(item: "ModelVersion", aliases: dict[str, int]) -> Version:
    """An MLflow model version as a `Version`."""
    tags = {key.removeprefix("finml."): value for key, value in item.tags.items()}
    texts = {key: tags[key] for key in TEXT_TAGS if key in tags}
    try:
        approval = Approval.model_validate_json(tags.get("approval", ""))
    except ValidationError:
        approval = Approval(decision="pending")
    return Version(
        name=item.name,
        version=int(item.version),
        run_id=item.run_id or "",
        created_at=datetime.fromtimestamp(item.creation_timestamp / 1000, UTC),
        aliases=sorted(alias for alias, number in aliases.items() if number == int(item.version)),
        approval=approval,
        git_dirty=tags.get("git_dirty") == "true",
        seed=int(tags["seed"]) if tags.get("seed", "").isdigit() else None,
        **texts,
    )


def all_pages(search: Callable[..., Any], filter_string: str | None) -> list[Any]:
    """Every result of one of MLflow's paged searches."""
    found: list[Any] = []
    token = None
    while True:
        page = search(filter_string, max_results=PAGE, page_token=token)
        found += page
        token = page.token
        if not token:
            return found
