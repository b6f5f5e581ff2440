"""A simulated organization of Dynamics 365 (on-premises): its records, its Web API, and the asynchronous service that runs Test & Enable.

What is known of the real one stands in Microsoft's documentation (read 2026-11). Where that is silent, the word *unconfirmed* stands.
"""
