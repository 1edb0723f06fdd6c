"""Pipeline `features`: from the ledger to the offline and the online store. Run it on a schedule."""

from kfp import dsl

from pipelines.steps import feature_steps


@dsl.pipeline(name="features", description="From the ledger to the offline and the online feature store.")
def features(ledger_url: str = "") -> None:
    """Take what is new in the ledger, build features and bring them online.

    Args:
        ledger_url: The ledger; empty for the one of the settings.
    """
    feature_steps(ledger_url)
