"""All readers of X-ray microscopy with energies: stacks, raw frames and projections, finished maps and volumes."""

from analysis.core.registry import Reader
from analysis.xanes import read_frames, read_maps, read_stack

READERS: tuple[Reader, ...] = (*read_stack.READERS, *read_frames.READERS, *read_maps.READERS)
