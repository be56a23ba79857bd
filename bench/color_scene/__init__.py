"""Rendered scenes with known truth for `./dev bench color`: chart and skin under lights, seen by cameras."""
