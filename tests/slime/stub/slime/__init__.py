"""Stands in for slime: the few names that the bridge and the stand-in job use."""
