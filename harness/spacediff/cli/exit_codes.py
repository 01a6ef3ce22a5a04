"""Exit codes of the commands, as their help lists them."""

OF_AUDITS = """exit codes:
  0  the gate passed (or there is none)
  1  the gate failed
  2  the scenario or the command line is wrong
  3  something that the gate needs was not measured
  70  internal error in spacediff
  130  interrupted; the same command continues
"""

OF_READ = """exit codes:
  0  the settings are listed
  2  the command line is wrong, or no pipeline call can be read
  3  the Hub does not give the Space
  70  internal error in spacediff
"""

OF_RECORD = """The script runs as ever: its output is its own, and its exit code is that of this command.
With two recordings: spacediff compare theirs.zip mine.zip

exit codes:
  2  the command line is wrong, or the recording cannot be written; the script was not run
  others  as the script's
"""

OF_CHECK = """exit codes:
  0  a call repeats itself, and nothing speaks against comparing with the Space
  1  something does, or has to be known for it, such as an input without effect
  2  the command line or the scenario is wrong
  3  the Space does not answer, or it is not known whether a call repeats itself
  70  internal error in spacediff
  130  interrupted; what was found until then is printed
"""

OF_VERSIONS = """exit codes:
  0  releases were compared, whether their outputs are equal or not
  2  the scenario or the command line is wrong
  3  no two releases could be compared, or the index does not list them
  70  internal error in spacediff
  130  interrupted; the same command continues
"""

OF_OTHERS = """exit codes:
  0  done
  2  the command line is wrong, or a file cannot be read or written
  70  internal error in spacediff
"""
