"""Mirrors probe/outlook."""
