"""Run audits on a Ray cluster: the workers of one machine, in actors on many. Only this package imports Ray."""
