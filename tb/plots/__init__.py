"""Plots of what list registers cost, drawn from runs of the machine."""
