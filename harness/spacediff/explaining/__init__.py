"""Explaining: the smallest set of settings that explains a difference, and its proof."""
