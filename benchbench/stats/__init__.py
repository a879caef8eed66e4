"""Statistics over scores: from frames to tracks, from tracks to models, from models to verdicts.

The unit of all statistics is the track. Frames of one track are correlated, so they are summarised
before resampling and testing. Two models are compared track by track, so that the difficulty of a
track cancels out. Every random draw takes a seed, which is stored with the results.
"""

from benchbench.stats.aggregations import AGGREGATIONS, Aggregation
from benchbench.stats.bootstrap import SEED, Interval, bootstrap_interval
from benchbench.stats.differences import ShownDifference, ShownNumbers
from benchbench.stats.leaders import leaderboard
from benchbench.stats.pairs import Paired, holm, paired, pairwise
from benchbench.stats.ranks import CriticalDifference, Friedman, critical_difference, friedman
from benchbench.stats.tracks import intersect_frames, newest, per_track, wide

__all__ = [
    "AGGREGATIONS",
    "SEED",
    "Aggregation",
    "CriticalDifference",
    "Friedman",
    "Interval",
    "Paired",
    "ShownDifference",
    "ShownNumbers",
    "bootstrap_interval",
    "critical_difference",
    "friedman",
    "holm",
    "intersect_frames",
    "leaderboard",
    "newest",
    "paired",
    "pairwise",
    "per_track",
    "wide",
]
