"""Makes judges: from preference pairs to a classifier or a generative reward model."""

from judgekit.training.classifier import ClassifierTraining, train_classifier

__all__ = ["ClassifierTraining", "train_classifier"]
