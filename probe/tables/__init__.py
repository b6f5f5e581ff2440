"""Typed readers of the tables in `probe/data`, one file for each topic. Each table is read once.

Every table has its source and date in its head. What a table does not contain is unknown:
no reader here fills a gap.
"""
