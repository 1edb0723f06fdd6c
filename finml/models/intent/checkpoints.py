"""Where an interrupted training finds how far it came. Imported by training alone."""

import pickle  # for the name of its error alone
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import torch

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """The state of one training, in a file of tensors and plain data; nothing in it is executed."""

    file: Path

    def write(self, state: dict[str, Any]) -> None:
        """Keep a state in place of the one before it."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_suffix(".part")
        torch.save(state, beside)
        beside.replace(self.file)

    def read(self) -> dict[str, Any] | None:
        """The state kept last, or `None`: training then begins anew."""
        if not self.file.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.file, weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
            # written whole or not at all, so the disk is at fault; the training is what counts
            log.warning("checkpoint_unreadable", file=str(self.file), error=str(error)[:200])
            return None
        return state
