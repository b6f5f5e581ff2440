"""Tests of what probers share."""
