"""Reporting: the ways to show an audit record. A presenter shows what the record contains and computes nothing."""
