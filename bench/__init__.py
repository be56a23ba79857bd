"""Benchmarks: each module is one, run by `./dev bench NAME`; harness.py holds what they share."""
