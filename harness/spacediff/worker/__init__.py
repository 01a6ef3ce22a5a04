"""The worker: the process that loads models and generates clips, and how it is spoken to.

Plain data goes in, a Run; a plain record comes out, and clip, trace and latents lie in files. So a worker may live in
another interpreter, with other versions of the libraries, or on another machine. The only one so far, `local`, is this
process.
"""
