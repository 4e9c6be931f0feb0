"""Faults on purpose: each breaks one thing of a small deployment, and counts what that cost."""
