"""A live connectivity probe for Dynamics 365 server-side synchronization.

It connects to the EWS, POP3 and SMTP endpoints that an estate names, writes down what it saw as facts, and
judges every mailbox against Microsoft's list of supported configurations: supported or not, ready or not,
why, and what to do. What was not seen is unknown, and says why.
"""

__version__ = "0.1.0"
