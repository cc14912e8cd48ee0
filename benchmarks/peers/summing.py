"""The cycle summary that a user of a reading library writes himself: charge integrated by sign, cycle after cycle."""

import numpy as np


def by_cycle(seconds: np.ndarray, amps: np.ndarray, cycle: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Charge and discharge of each cycle in mA h; where no cycle is known, of each run of one sign.

    Inputs have shape (N,); current in A, positive on charge.
    """
    increments = np.diff(seconds, prepend=seconds[:1]).clip(min=0) * amps / 3.6  # a clock that starts again counts nothing
    increments = np.nan_to_num(increments)
    number = np.cumsum(np.diff(np.sign(amps), prepend=0) != 0) if cycle is None else np.nan_to_num(cycle).astype(int)
    number = number - number.min()
    return np.bincount(number, increments.clip(min=0)), np.bincount(number, (-increments).clip(min=0))
