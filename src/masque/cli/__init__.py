"""The front door: one thin function per command, heavy imports inside it."""
