"""Mirrors probe/net."""
