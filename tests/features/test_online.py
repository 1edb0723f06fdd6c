"""The short way through Feast's online stores against Feast's own."""

import math
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

import feature_repo
from finml.errors import FeatureError
from finml.features.build import build
from finml.features.declarations import SERVICES, request_fields, service_views
from finml.features.materialize import materialize
from finml.features.online import FeatureRow, FeatureValue, OnlineFeatures
from finml.features.store import feature_store, service
from finml.features.values import numbers, text
from finml.settings import Settings
from tests.features.books import bank

USERS = [*(f"u{number}" for number in range(8)), "nobody", "", "ü 1"]
FIELDS = request_fields("credit_risk_v1")
ASKED = st.fixed_dictionaries(
    {},
    optional={
        name: st.none() | st.just(math.nan) | (st.integers(1, 480) if name == "term_months" else values)
        for name, values in zip(FIELDS, [st.floats(0, 1e7)] * len(FIELDS), strict=True)
    },
)


@pytest.fixture(scope="module")
def sqlite_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("online")
    settings = Settings(home=folder / "home", ledger_url=str(folder / "ledger"))
    build(bank(21, months=4).write(folder / "tables"), settings)
    materialize(settings, feature_repo.definitions(settings))
    return settings


@pytest.fixture(scope="module", params=["sqlite", pytest.param("redis", marks=pytest.mark.server)])
def settings(request: pytest.FixtureRequest, sqlite_settings: Settings) -> Settings:
    if request.param == "sqlite":
        return sqlite_settings
    url = request.getfixturevalue("redis_url")
    changed = sqlite_settings.model_copy(update={"redis_url": url})
    materialize(changed, feature_repo.definitions(changed))
    return changed


@pytest.fixture(scope="module")
def readers(settings: Settings) -> dict[str, tuple[OnlineFeatures, Callable[..., list[FeatureRow]]]]:
    store = feature_store(settings, feature_repo.definitions(settings))

    def by_feast(name: str) -> Callable[..., list[FeatureRow]]:
        found = service(store, name)

        def read(users: list[str], asked: list[dict[str, float | None]]) -> list[FeatureRow]:
            columns: dict[str, list[object]] = {"user_id": list(users)}
            for field in request_fields(name):
                columns[field] = [math.nan if row.get(field) is None else row[field] for row in asked]
            answer = store.get_online_features(found, columns)
            names = list(answer.proto.metadata.feature_names.val)
            return [_row(name, names, answer.proto.results, place) for place in range(len(users))]

        return read

    return {name: (OnlineFeatures(store, name), by_feast(name)) for name in SERVICES}


def _row(name: str, names: list[str], results: list[object], place: int) -> tuple[object, object]:
    by_name = dict(zip(names, results, strict=True))
    values = {
        feature: _python(by_name[feature].values[place])
        for view in service_views(name)
        for feature in view.feature_names
    }
    moments = {
        view.name: by_name[view.feature_names[0]].event_timestamps[place].seconds
        for view in service_views(name)
        if view.computed == "stored"
    }
    return values, moments


def _python(value: Value) -> FeatureValue:
    kind = value.WhichOneof("val")
    if kind is None:
        return None
    found = getattr(value, kind)
    return None if isinstance(found, float) and math.isnan(found) else found


@pytest.mark.parametrize("name", SERVICES)
@given(data=st.data())
@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_equal_what_feast_itself_answers(readers, name: str, data: st.DataObject) -> None:
    users = data.draw(st.lists(st.sampled_from(USERS), min_size=1, max_size=12))
    asked = [data.draw(ASKED) for _ in users]
    reader, by_feast = readers[name]
    expected = by_feast(users, asked)
    found = reader.read(users, asked)
    assert [row.values for row in found] == [values for values, _ in expected]
    assert [
        {view: (moment and int(moment.timestamp())) or 0 for view, moment in row.timestamps.items()}
        for row in found
    ] == [moments for _, moments in expected]


def test_a_row_can_be_kept_and_used_again(readers) -> None:
    reader, _ = readers["credit_risk_v1"]
    stored = reader.stored(["u1", "nobody"])
    asked = [{"loan_amount": 1000.0}, {}]
    again = reader.rows([stored["u1"], stored["nobody"]], asked)
    assert again == reader.read(["u1", "nobody"], asked)
    again[0].values.clear()
    assert reader.rows([stored["u1"]], asked[:1]) == reader.read(["u1"], asked[:1])


def test_rows_of_what_was_read_before_are_marked(readers) -> None:
    reader, _ = readers["credit_risk_v1"]
    stored = reader.stored(["u1", "nobody"])
    rows = reader.rows([stored["u1"], stored["nobody"]], degraded=[True, True])
    assert [(row.status, row.degraded) for row in rows] == [("stale", True), ("missing", True)]


def test_users_and_requests_must_be_as_many(readers) -> None:
    reader, _ = readers["credit_risk_v1"]
    with pytest.raises(ValueError, match="2 users but 1 requests"):
        reader.read(["u1", "u2"], [{}])
    assert reader.read([], []) == []


def test_a_table_that_is_gone_is_an_error_of_features(sqlite_settings: Settings, tmp_path: Path) -> None:
    import shutil
    import sqlite3

    moved = sqlite_settings.model_copy(update={"home": tmp_path / "home"})
    shutil.copytree(sqlite_settings.home, moved.home)
    store = feature_store(moved, feature_repo.definitions(moved))
    reader = OnlineFeatures(store, "spending_v1")
    with sqlite3.connect(moved.workspace.feast / "online.db") as database:
        database.execute(f'DROP TABLE "{store.project}_spending_history"')
    with pytest.raises(FeatureError, match="cannot be read: OperationalError"):
        reader.read(["u1"])


@given(st.lists(st.none() | st.floats(), max_size=40))
def test_numbers_are_read_as_the_library_reads_them(values: list[float | None]) -> None:
    stored = [None if value is None else Value(double_val=value).SerializeToString() for value in values]
    expected = [math.nan if value is None else value for value in values]
    assert [struct.pack("d", one) for one in numbers(stored)] == [struct.pack("d", one) for one in expected]


@given(st.lists(st.sampled_from([Value(int64_val=3), Value(string_val="x"), Value(), Value(double_val=2.5)])))
def test_what_is_no_number_is_missing(values: list[Value]) -> None:
    found = numbers([value.SerializeToString() for value in values])
    assert [None if math.isnan(one) else one for one in found] == [
        value.double_val if value.WhichOneof("val") == "double_val" else None for value in values
    ]


@given(st.text())
def test_a_text_is_read_as_it_is(words: str) -> None:
    assert text(Value(string_val=words).SerializeToString()) == words
    assert text(None) is None
    assert text(Value(double_val=1.0).SerializeToString()) is None
