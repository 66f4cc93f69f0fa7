"""What waits for parts of the house that are still to come."""
from conformance import case

DECOMPOSITION = "decomposition of sets into rows"


@case(39, "ldmsd_decomp_test", "rows of as_is, static and flex decompositions in CSV and Kafka", "sampler agg1 tool",
      waits=DECOMPOSITION)
def test_decomposition(c):
    pass


@case(40, "ldmsd_flex_decomp_test", "decompositions chosen by digest", "sampler agg1 tool", waits=DECOMPOSITION)
def test_flex_decomposition(c):
    pass
