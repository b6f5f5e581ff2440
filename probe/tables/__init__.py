"""Typed readers of what lies in `probe/data`, a file for each topic; what a reader reads, it reads once.

Every table there says in its head where it is from and of what date it is. What a table does not hold is unknown:
no reader here fills a gap.
"""
