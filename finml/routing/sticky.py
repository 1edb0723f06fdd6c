"""A place between 0 and 1 for every user, the same in every process, at every time, and on every machine."""

from collections.abc import Callable
from hashlib import blake2b

_UNIT = 2.0**-53  # a float's own precision, so that the largest place stays below 1


def places(salt: str, model: str) -> Callable[[str], float]:
    """The function that gives a user's place in a model.

    Places in different models have nothing to do with each other: who is in one test is not in all of them.

    Args:
        salt: another one gives everybody another place.
        model: the model's name.
    """
    begun = blake2b(f"{salt}\0{model}\0".encode(), digest_size=8)

    def place(user: str) -> float:
        """Uniform in [0, 1)."""
        hashed = begun.copy()
        # a lone surrogate is a name like any other here
        hashed.update(user.encode("utf-8", "surrogatepass"))
        return (int.from_bytes(hashed.digest(), "big") >> 11) * _UNIT

    return place
