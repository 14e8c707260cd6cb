"""One run of everything: features, labels, an end model, and whether it is better than the champion."""
