import json

import numpy as np
import pandas as pd
import pytest

from finml.models.spending.calendar import DayTable
from finml.models.spending.components import Components
from finml.models.spending.fitting import (
    LONG_VARIANTS,
    SHORT_VARIANTS,
    exported,
    feature_values,
    fitted_prophet,
)
from finml.models.spending.series import Series
from tests.models.spending.months import daily, monthly, weekly


@pytest.fixture(scope="module")
def table() -> DayTable:
    return DayTable.covering(np.datetime64("2020-01-01"), np.datetime64("2029-12-31"))


@pytest.mark.parametrize("variant", (*LONG_VARIANTS, SHORT_VARIANTS[0]), ids=lambda variant: variant.name)
@pytest.mark.parametrize("rows", [monthly("a", 60), monthly("b", 20), weekly(120), daily(400)])
def test_what_is_served_is_what_prophet_says(table, variant, rows):
    series = Series.of("s", rows)
    model, used = fitted_prophet(series, table, variant)
    components = exported(model, used)
    dates = series.frequency.range(series.dates[0], len(series.values) + 24)
    features = feature_values(series, table, dates)
    said = model.predict(pd.DataFrame({"ds": dates} | {name: features[name] for name in used}))
    parts = components.evaluate(dates, features)
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), said["yhat"], rtol=1e-6)
    np.testing.assert_allclose(parts["trend"], said["trend"], rtol=1e-6)
    if variant.multiplicative:
        np.testing.assert_allclose(
            parts["holidays"] + parts["regressors"] + parts["yearly"] + parts["weekly"],
            said["trend"] * said["multiplicative_terms"],
            atol=1e-6 * components.scale,
        )
    assert Components.from_dict(json.loads(json.dumps(components.to_dict()))) == components


def test_a_regressor_of_the_table_is_fitted_and_served(table):
    rows = monthly("a", 48, noise=0.01)
    promotions = np.random.default_rng(1).integers(0, 4, 48).astype(float)
    rows = rows.assign(y=rows["y"] * (1 + 0.2 * promotions), promotions=promotions)
    series = Series.of("s", rows, ("promotions",))
    components = exported(*fitted_prophet(series, table, LONG_VARIANTS[0]))
    effect = components.effects["given_promotions"]
    assert effect.beta / effect.deviation == pytest.approx(0.2, abs=0.06)


def test_slopes_are_those_of_the_trend(table):
    components = exported(*fitted_prophet(Series.of("s", monthly("a", 60)), table, LONG_VARIANTS[1]))
    before, after = components.slopes()
    place = int(np.argmax(np.abs(after - before)))
    day = components.changepoint_days()[place]
    trend = components.trend(np.array([day - 10, day, day + 10]))
    assert trend[1] - trend[0] == pytest.approx(10 * before[place], rel=0.1)
    assert trend[2] - trend[1] == pytest.approx(10 * after[place], rel=0.1)
