"""Whether what is served equals what models learn from: online against offline, bit for bit."""

import random
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from pydantic import BaseModel, ConfigDict

from finml.errors import UsageError
from finml.features.declarations import REQUEST_FIELDS, SERVICES, STORED_VIEWS, service_views
from finml.features.offline import OfflineStore
from finml.features.online import FeatureRow, FeatureValue, OnlineFeatures
from finml.features.store import FeatureRepo, feature_store, training_set
from finml.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

log = structlog.get_logger(__name__)

BATCH = 100
SHOWN, SHOWN_CHARACTERS = 20, 60


class Difference(BaseModel):
    """One value that is not the same on both sides. `None` is a missing value."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    feature: str
    online: FeatureValue
    offline: FeatureValue


class VerifyReport(BaseModel):
    """What a comparison found.

    Attributes:
        values: values compared, over all users and features, and the times they are from.
        differences: every one that differs; a time that differs is named `event_timestamp`, in seconds.
    """

    model_config = ConfigDict(frozen=True)

    users: int
    values: int
    as_of: datetime
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether every value has the same bits on both sides."""
        return not self.differences

    def to_markdown(self) -> str:
        """The report for a pipeline's page."""
        verdict = "equal" if self.equal else f"{len(self.differences)} differ"
        lines = [
            f"{self.values} values of {self.users} users as of {self.as_of:%Y-%m-%d %H:%M:%S} UTC: {verdict}."
        ]
        if not self.equal:
            lines += ["", "| user | feature | online | offline |", "|---|---|---|---|"]
            lines += [
                f"| {d.user_id} | {d.feature} | {_shown(d.online)} | {_shown(d.offline)} |"
                for d in self.differences[:SHOWN]
            ]
        return "\n".join(lines) + "\n"


def verify(settings: Settings, repo: FeatureRepo, *, users: int = 1000, seed: int = 7) -> VerifyReport:
    """Compare what a request would get with the training row of the same user and time.

    Both sides go the whole way: the online side through a request, the offline side through a point-in-time
    join, each with the same made-up loan so that the on-demand features are compared as well.

    Args:
        settings: say where the stores are.
        repo: what `feature_repo` declares.
        users: how many users to draw; all, if there are fewer.
        seed: seed of the draw and of the made-up loans.

    Raises:
        FeatureError: nothing has been built or materialized.
        UsageError: `users` is not above zero.
    """
    import pandas as pd

    if users < 1:
        raise UsageError(f"{users} users cannot be compared", hint="ask for one at least")
    offline = OfflineStore(settings.workspace.features)
    latest = offline.require().latest
    path = offline.view(STORED_VIEWS[0].name) / f"{latest.name}.parquet"
    everyone = sorted(pd.read_parquet(path, columns=["user_id"])["user_id"])
    draw = random.Random(seed)  # noqa: S311  # nosec B311  # a sample, no secret
    drawn = draw.sample(everyone, min(users, len(everyone)))
    loans = [_made_up_loan(draw) for _ in drawn]
    moment = latest.last.replace(tzinfo=UTC)
    spine = pd.DataFrame(loans).assign(user_id=drawn, event_timestamp=pd.Timestamp(moment))

    differences: list[Difference] = []
    values = 0
    for service_name in SERVICES:
        names = [name for view in service_views(service_name) for name in view.feature_names]
        expected = training_set(settings, repo, service_name, spine)
        served = OnlineFeatures(feature_store(settings, repo), service_name)
        for start in range(0, len(drawn), BATCH):
            part = expected.iloc[start : start + BATCH]
            rows = served.read(list(part["user_id"]), loans[start : start + BATCH])
            differences += _differences(part, rows, names, moment)
        values += len(drawn) * (len(names) + 1)
    report = VerifyReport(users=len(drawn), values=values, as_of=moment, differences=tuple(differences))
    log.info("features_verified", users=report.users, values=values, differences=len(differences))
    return report


def _differences(
    expected: "pd.DataFrame", rows: list[FeatureRow], names: list[str], moment: datetime
) -> list[Difference]:
    found = []
    for user_id, row, (_, offline) in zip(expected["user_id"], rows, expected[names].iterrows(), strict=True):
        if row.as_of != moment:
            at = row.as_of.timestamp() if row.as_of else None
            found.append(
                Difference(user_id=user_id, feature="event_timestamp", online=at, offline=moment.timestamp())
            )
        for name in names:
            left, right = row.values.get(name), offline[name]
            if _bits(left) != _bits(right):
                known = None if _bits(right) is None else right
                found.append(Difference(user_id=user_id, feature=name, online=left, offline=known))
    return found


def _bits(value: FeatureValue) -> bytes | None:
    """The value's bytes, eight of a number; `None` for a missing one, whichever NaN or null it is."""
    if isinstance(value, str):
        return value.encode()
    return None if value is None or value != value else struct.pack("<d", value)  # noqa: PLR0124 - NaN is not itself


def _shown(value: FeatureValue) -> str:
    """The value for a cell of a table; of a long text its beginning."""
    text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _made_up_loan(draw: random.Random) -> dict[str, float]:
    whole = {
        "loan_amount": 1e6,
        "term_months": 60.0,
        "annual_rate": 0.3,
        "installment": 5e4,
        "collateral_value": 2e6,
    }
    return {name: draw.uniform(0.1, 1.0) * whole[name] for name in REQUEST_FIELDS}
