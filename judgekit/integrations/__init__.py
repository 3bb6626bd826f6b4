"""Rewards in the trainers that people use, a thin module for each. None imports its trainer.

Trainers differ in how a rollout without a reward is said; each module's first lines say how it is in this one.
"""
