"""The tables of a scenario as strict models: no key is skipped and no value converted.

The key insight is that one description serves three readers: validation, the JSON Schema that editors complete from,
and the plain words of the mistakes. So the expectation for each place is written once, here, as `x-expected`.
"""
