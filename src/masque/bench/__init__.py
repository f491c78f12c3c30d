"""Benchmarks: what is measured side by side in one process, never asserted in a test."""
