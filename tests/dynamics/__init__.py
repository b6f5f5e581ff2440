"""Mirrors probe/dynamics."""
