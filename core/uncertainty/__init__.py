"""Uncertainty: what of a difference is the users' and the seeds' chance. Arrays in, arrays out."""
