"""A synthetic Indian bank, for trying finml out, for tests and as a scale test.

`docs/synthetic-bank.md` says how it works and what makes its loans go bad.
"""

from finml.ledger.synthetic.generate import generate

__all__ = ["generate"]
