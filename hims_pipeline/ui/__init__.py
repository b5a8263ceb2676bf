"""The door of Dagster's pages: who may come in, from where, and what they may start.

Dagster itself has no login and takes any request for its own. What is behind the door is in `defs/webserver.py`.
"""
