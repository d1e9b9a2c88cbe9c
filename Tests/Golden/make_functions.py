#!/usr/bin/env python3
"""Writes functions.tsv: what elementary functions give at 128 bits, for Tests/KernelsTests/ElementaryTests.swift.

    pip install mpmath==1.3.0
    Tests/Golden/make_functions.py > Tests/Golden/functions.tsv

A line: function, bits of x, (bits of a second argument,) then the value as an unevaluated sum of two float64, by bits.
"""
import random
import struct

from mpmath import mp, mpf

mp.prec = 400
random.seed(20170612)


def bits(value):
    return struct.pack(">d", value).hex()


def line(name, value, *arguments):
    high = float(value)
    low = float(value - mpf(high))
    print("\t".join([name, *map(bits, arguments), bits(high), bits(low)]))


def spread(low, high, count):
    """Evenly, and evenly in the exponent."""
    plain = [random.uniform(low, high) for _ in range(count // 2)]
    tiny = [random.choice((-1, 1)) * 2.0 ** random.uniform(-60, 0) * max(abs(low), abs(high)) for _ in range(count // 2)]
    return plain + [x for x in tiny if low <= x <= high]


for x in [5e-324, 2.3e-308, 1.0, 2.0, 10000.0, 0.9999999999999999, 1.0000000000000002] + [
        2.0 ** random.uniform(-1060, 1020) for _ in range(150)] + [random.uniform(0.5, 2) for _ in range(250)]:
    line("logarithm", mp.log(mpf(x)), x)
for x in spread(-707.0, 709.0, 300) + spread(-1.0, 1.0, 200):
    line("exponential", mp.exp(mpf(x)), x)
for x in spread(-1048576.0, 1048576.0, 200) + spread(0.0, 6.2831853, 200) + [
        float(k * mp.pi / 2) for k in (1, 2, 3, 4, 5, 7, 355, 710, 103993, 600000)]:
    line("sine", mp.sin(mpf(x)), x)
    line("cosine", mp.cos(mpf(x)), x)
for base in (0.9, 0.98, 0.95, 0.999, 0.5, 1.0, 0.123456789):
    for exponent in (0, 1, 2, 3, 7, 10, 99, 100, 200, 1000, 2000, 20000):
        value = mpf(base) ** exponent
        if value > mpf(10) ** -250:
            line("whole power", value, base, float(exponent))
for count in [0, 1, 2, 3, 5, 10, 37, 100, 255, 1000, 65536] + [random.randrange(65536) for _ in range(60)]:
    x = (5 + count) / 6
    line("power", mpf(x) ** mpf(0.6), x, 0.6)
