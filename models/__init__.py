"""Scores from features: fit, predict, save, load; and the engine that assembles every answer."""
