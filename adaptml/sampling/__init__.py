"""Which data points to choose: random, stratified, diverse, uncertain, disputed, uncovered, and mixtures."""

from adaptml.sampling.core import RANDOM, Sample, Source
from adaptml.sampling.mixture import draw_sample, parse_sampling

__all__ = ["RANDOM", "Sample", "Source", "draw_sample", "parse_sampling"]
