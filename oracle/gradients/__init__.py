"""One function: a hand-written backward, judged against a torch function that says what it should compute.

    oracle.check_gradients(mine, like=torch_function, inputs={"x": ("N", "D")})

It replaces torch.autograd.gradcheck in a test suite: random and adversarial inputs, tolerances from the case's own
conditioning, the smallest failing case, and no word against `mine` that the values of `like` do not bear out.
"""

from oracle.gradients.check import check_gradients
from oracle.gradients.inputs import Input

__all__ = ["Input", "check_gradients"]
