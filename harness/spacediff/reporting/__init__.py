"""Reporting: every face of an audit record. A presenter shows what the record holds and computes nothing."""
