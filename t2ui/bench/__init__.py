"""Benchmarks behind ``python -m t2ui bench``: each compares in one run and returns medians and the ratios that matter.

Timings are interleaved (one of each kind, again and again), so that a machine that becomes slower is slower for all.
"""
