"""For people who write contracts: how a file differs from its contract, and a first contract from a file.

Nothing here reads a delivery, so no verdict rests on it.
"""
