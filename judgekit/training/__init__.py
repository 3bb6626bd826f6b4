"""Makes judges: from preference pairs to a classifier or a generative reward model."""

from judgekit.training.classifier import ClassifierTraining, train_classifier
from judgekit.training.describe import Description, describe
from judgekit.training.leaks import Leak, leaks, shared_responses
from judgekit.training.preferences import Imported, from_preferences
from judgekit.training.ratings import from_ratings
from judgekit.training.splits import both_orders, split

__all__ = [
    "ClassifierTraining",
    "Description",
    "Imported",
    "Leak",
    "both_orders",
    "describe",
    "from_preferences",
    "from_ratings",
    "leaks",
    "shared_responses",
    "split",
    "train_classifier",
]
