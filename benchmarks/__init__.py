"""Measurements that anyone can repeat, side by side in one run: ratios mean something, absolute figures only here."""
