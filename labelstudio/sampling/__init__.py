"""Which data points to choose: random, stratified, diverse, uncertain, disputed, uncovered, and mixtures."""

from labelstudio.sampling.core import RANDOM, Sample, Source
from labelstudio.sampling.mixture import draw_sample, parse_sampling

__all__ = ["RANDOM", "Sample", "Source", "draw_sample", "parse_sampling"]
