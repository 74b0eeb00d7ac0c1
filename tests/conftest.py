"""One thread for torch, as the command has it: small nets are faster so, above all beside other processes."""

from oracle.check import set_threads

set_threads()
