"""The demonstration: one page of what Masque does, with the records of its pictures."""
