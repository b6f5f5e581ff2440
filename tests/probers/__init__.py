"""Mirrors probe/probers."""
