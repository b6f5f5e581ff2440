"""Mirrors probe/gate."""
