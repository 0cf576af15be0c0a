"""Plots as inline SVG, one file per family; `canvas` is what they have in common."""
