"""`make faults`: kills, disk errors and dying children over whole nights and every command, with readers beside them.

Slow, and so a target of its own. An installation of an invented country is brought to a state, hurt in the middle of a
command, and then used as people would: what must hold afterwards is in `invariants`. Moments are drawn; with `--assets`
they are each step and asset that the definitions of the night list (`assets`).
"""
