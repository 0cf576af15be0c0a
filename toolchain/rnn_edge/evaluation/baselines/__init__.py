"""Simple detectors that a model has to be better than, one per module.

A new one is a module with a class derived from `Baseline` and ``BASELINE = BaselineKind(...)``.
"""
