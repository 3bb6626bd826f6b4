"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; the random generator is an argument."""

from judgekit.calibration.estimate import Estimate, cluster_bootstrap, share

__all__ = ["Estimate", "cluster_bootstrap", "share"]
