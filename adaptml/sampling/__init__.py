"""Which data points to choose: random, stratified, diverse, uncertain, disputed, uncovered, and mixtures."""

from adaptml.sampling.core import RANDOM, Sample, Source
from adaptml.sampling.mixture import draw_sample, parse_sampling
from adaptml.sampling.points import SamplingOptions, draw_points

__all__ = ["RANDOM", "Sample", "SamplingOptions", "Source", "draw_points", "draw_sample", "parse_sampling"]
