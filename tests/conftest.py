"""What all tests share."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers"]

# how long an example takes says more of the machine than of the code
settings.register_profile("finml", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("finml")
