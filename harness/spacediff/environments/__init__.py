"""Environments: the versions of libraries as a setting. uv builds them, each once, and keeps them in the cache.

What is wanted follows from the settings (`wanted`); what that comes to is a lock (`locking`), and an environment is
built from its lock (`building`), with torch shared from here unless another one is wanted (`shared`). `named` says what
moved.
"""
