"""Python runs this in each process that a test starts."""

import refuse_torch

refuse_torch.install()
