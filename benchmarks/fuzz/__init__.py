"""Coverage-guided fuzzing of every stage and parser: ``python -m benchmarks fuzz`` (needs atheris: the extra ``fuzz``).

An input is made of *parts*: packets, messages, streams, certificates, observations. A target reads all of them side by
side, as the library does, so that one call in numpy reads dozens, and holds the answer against a second way to it that
must give the same: other pieces, one part alone, without what is compiled. Since code that is vectorized has few
branches, what it *says* of each part guides the search beside the lines that it went through.
"""
