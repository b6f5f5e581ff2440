"""Tests of the published document."""
