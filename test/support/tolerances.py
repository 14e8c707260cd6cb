"""How far apart two numbers may be and still mean the same.

Sums of floats depend on their order, and linear-algebra libraries choose the order by the processor, the number of
threads, the shape of the batch and even the place in memory. So a test uses `==` for whole numbers, decisions, shares
of rows and stored copies, and one of these for vectors, probabilities and losses that were computed twice: in another
batch or process, by a loaded model, or by a second fit from the same inputs and seed.
"""

# Numbers of size 1 that were computed in float32 (steps of 6e-8 there): sentence vectors, Snorkel's label model, end
# models on float32 vectors. Vectors in another batch differ by up to 2.6e-7 on an AMD EPYC, over 440 posts and 300
# batches of random texts.
FLOAT32_ATOL = 1e-6
# Computed in float64 throughout (steps of 1e-16): what label models make of votes.
FLOAT64_ATOL = 1e-9
