"""The worker: the process that loads models and generates clips, and its interface.

A worker receives a Run, which is plain data. It returns a plain record, and writes clip, trace and latents to files. So
a worker can run in another interpreter, with other versions of the libraries, or on another machine. `local` generates
in the process that calls it, and `supervised` in a process of its own.
"""
