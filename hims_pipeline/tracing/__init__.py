"""From a published figure, or one that is not there, back to what it rests on: `hims why`.

Everything is read from a release; nothing here changes one. By default that is the public file and its manifest, so an
answer holds no more than was published; the staff's file only where it is asked for. Not here: how answers are printed
(`commands.why`).
"""
