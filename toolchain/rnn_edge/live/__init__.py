"""A model at work: from a source of samples to decisions, for as long as the machine runs.

A source delivers pieces of samples into a bounded queue (`source`, `queue`), from its own thread.
The main loop (`stream`) turns them into frames, steps a lane with each (`lane`: a model with its
state, its reset policy and its rule of decisions), and hands what began and ended to the outlets
(`printed`, `hook`, `broker`).
"""
