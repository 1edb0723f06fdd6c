"""Load tests with Locust, run headless against a budget: `python -m loadtests.run`, or `make bench`."""
