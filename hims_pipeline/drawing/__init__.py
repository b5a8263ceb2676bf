"""Pictures of a release, where people look rather than read: ages of migrants, destinations, a map, ladders, controls.

They are drawn from the public file alone, so nothing that is withheld can be in one, in each language of the
observatory that `words.yml` knows; what rests on invented data says so on its face. The same release gives the same
bytes: a fresh process draws them, in one order, without dates. Not here: tables and notes (`release`), reports on
deliveries (`reporting`).
"""
