/// Every kernel alone, on data that fits into the caches, at the sizes of one shard of a model.
package struct KernelBenchmark: Sendable {
    /// The number of tokens of a shard, the rows of most matrices.
    package var tokens: Int
    /// The width of the model.
    package var dModel: Int
    /// The inner width of its feed-forward sub-layers.
    package var dFF: Int
    /// The number of heads of its attention.
    package var heads: Int
    /// The number of ids, the columns of the logits.
    package var vocabulary: Int
    /// The number of tokens of a sequence.
    package var length: Int
    /// The time of measuring a kernel, in seconds.
    package var seconds: Double

    /// Makes a benchmark of its parts, all of them positive; `heads` divides `dModel`.
    package init(
        tokens: Int = 256, dModel: Int, dFF: Int, heads: Int, vocabulary: Int, length: Int = 32,
        seconds: Double = 0.05
    ) {
        self.tokens = tokens
        self.dModel = dModel
        self.dFF = dFF
        self.heads = heads
        self.vocabulary = vocabulary
        self.length = length
        self.seconds = seconds
    }

    /// The time and the work of one kernel.
    package struct Timing: Sendable {
        /// The name of the kernel, with precision and instructions of a product.
        package let kernel: String
        /// The sizes of its operands, such as `256×512×128`.
        package let shape: String
        /// The time of the fastest run.
        package let milliseconds: Double
        /// The number of floating-point operations of products, 0 for other kernels.
        package let operations: Int
        /// The least number of bytes read and written.
        package let bytes: Int

        /// The speed in 10⁹ floating-point operations a second.
        package var gigaflops: Double { Double(operations) / milliseconds / 1e6 }
        /// The speed in 10⁹ bytes a second.
        package var gigabytesPerSecond: Double { Double(bytes) / milliseconds / 1e6 }
    }

    /// Measures every kernel on the calling thread, one after the other.
    package func run() -> [Timing] {
        [peak()] + products(tokens, dModel, dModel) + products(tokens, 3 * dModel, dModel)
            + products(tokens, dFF, dModel) + products(tokens, dModel, dFF)
            + products(tokens, vocabulary, dModel) + attention() + rows() + [dropout()]
    }

    private func peak() -> Timing {
        let rate = MultiplyAddPeak.measure(seconds: seconds)
        return Timing(
            kernel: "multiply-add peak", shape: "registers", milliseconds: 1,
            operations: Int(rate * 1e-3), bytes: 1)
    }

    /// The ways to multiply; the instruction for pairs of bfloat16 changes nothing for float32.
    private static let ways = Instructions.available.flatMap { instructions in
        Precision.allCases.filter { $0 == .bf16 || instructions != .avx512bf16 }.map {
            (instructions: instructions, precision: $0)
        }
    }

    /// A linear layer's three products, by all instructions that this processor has.
    private func products(_ m: Int, _ n: Int, _ k: Int) -> [Timing] {
        let arena = Arena()
        let (x, w, y) = (filled(arena, m, k), filled(arena, n, k), filled(arena, m, n))
        let (dx, dw) = (arena.matrix(m, k), arena.matrix(n, k))
        return Self.ways.flatMap { way in
            let multiplier = Multiplier(way.instructions, precision: way.precision)
            func timed(_ kernel: String, _ body: () -> Void) -> Timing {
                measure(
                    "\(kernel) \(way.precision) \(way.instructions)", "\(m)×\(n)×\(k)",
                    operations: 2 * m * n * k,
                    floats: x.count + w.count + y.count, body)
            }
            return [
                timed("x·Wᵀ") { multiplier.timesTransposed(x, w, into: y) },
                timed("dy·W") { multiplier.times(y, w, into: dx) },
                timed("dyᵀ·x") { multiplier.transposedTimes(y, x, into: dw) },
            ]
        }
    }

    private func attention() -> [Timing] {
        let arena = Arena()
        let multiplier = Multiplier()
        let sequences = max(1, tokens / length)
        let count = sequences * length
        let offsets = arena.offsets((0...sequences).map { $0 * length })
        let attention = Attention(queries: offsets, keys: offsets, heads: heads, causal: true)
        let (q, k) = (filled(arena, count, dModel), filled(arena, count, dModel))
        let (v, o) = (filled(arena, count, dModel), filled(arena, count, dModel))
        let slopes = (0..<3).map { _ in arena.matrix(count, dModel) }
        let weights = arena.matrix(1, attention.weightCount)
        let scratch = arena.matrix(1, attention.scratchCount)
        let mask = mask(arena, attention.weightCount)
        let operations = 4 * count * length * dModel
        let shape = "\(sequences)×\(length)×\(dModel), \(heads) heads"
        let forward = measure("attention", shape, operations: operations, floats: 4 * q.count) {
            attention.forward(
                q, k, v, mask: mask, into: o, weights: weights, scratch: scratch, multiplier)
        }
        let backward = measure(
            "attention, way back", shape, operations: 2 * operations, floats: 7 * q.count
        ) {
            attention.backward(
                o, q, k, v, mask: mask, weights: weights, scratch: scratch, dQ: slopes[0],
                dK: slopes[1], dV: slopes[2], multiplier)
        }
        return [forward, backward]
    }

    private func rows() -> [Timing] {
        let arena = Arena()
        let (h, y) = (filled(arena, tokens, dFF), filled(arena, tokens, dFF))
        let (bias, mask) = (filled(arena, 1, dFF), mask(arena, h.count))
        let (x, n) = (filled(arena, tokens, dModel), filled(arena, tokens, dModel))
        let (gain, dGain) = (filled(arena, 1, dModel), filled(arena, 1, dModel))
        let statistics = arena.matrix(tokens, 2)
        let logits = filled(arena, tokens, vocabulary)
        let labels = arena.indices((0..<tokens).map { Int32($0 % vocabulary) })
        let wide = "\(tokens)×\(dFF)"
        var timings = [("ReLU", Activation.relu), ("GELU", .gelu), ("SiLU", .silu)].map {
            name, function in
            measure("bias, \(name), dropout", wide, floats: 3 * h.count) {
                function.forward(h, bias: bias, mask: mask, into: y, keepSlope: true)
            }
        }
        timings.append(
            measure("LayerNorm", "\(tokens)×\(dModel)", floats: 2 * x.count) {
                Normalisation.forward(
                    x, gain: gain, bias: gain, into: n, statistics: statistics)
            })
        timings.append(
            measure("LayerNorm, way back", "\(tokens)×\(dModel)", floats: 3 * x.count) {
                Normalisation.backward(
                    x, n, gain: gain, statistics: statistics, into: n, accumulate: false,
                    dGain: dGain, dBias: dGain)
            })
        timings.append(
            measure("cross entropy", "\(tokens)×\(vocabulary)", floats: 5 * logits.count) {
                var sums = CrossEntropy.Sums()
                CrossEntropy.rows(
                    logits, labels: labels, smoothing: 0.1, scale: 1, sums: &sums)
            })
        return timings
    }

    private func dropout() -> Timing {
        let arena = Arena()
        let count = tokens * dFF
        let bits = arena.bits(count)
        let dropout = Dropout(probability: 0.1)
        let random = Philox(seed: 1, 2, 3, 4)
        return measure("dropout's bits", "\(count)", floats: count / 32) {
            dropout.fill(bits, random)
        }
    }

    // MARK: Measuring

    private func filled(_ arena: Arena, _ rows: Int, _ columns: Int) -> Matrix {
        let matrix = arena.matrix(rows, columns)
        for row in 0..<rows {
            for column in 0..<columns {
                matrix[row, column] = Float((row * 31 + column * 17) % 97) / 97 - 0.5
            }
        }
        return matrix
    }

    private func mask(_ arena: Arena, _ count: Int) -> Mask {
        let bits = arena.bits(count)
        let dropout = Dropout(probability: 0.1)
        dropout.fill(bits, Philox(seed: 1, 2, 3, 4))
        return Mask(bits: bits, scale: dropout.scale)
    }

    /// Returns the fastest run's time on this thread, so that other programs disturb little.
    private func measure(
        _ kernel: String, _ shape: String, operations: Int = 0, floats: Int, _ body: () -> Void
    ) -> Timing {
        body()
        var best = Double.infinity
        var spent = 0.0
        repeat {
            let start = ThreadClock.seconds()
            body()
            let time = ThreadClock.seconds() - start
            best = min(best, time)
            spent += max(time, 1e-7)
        } while spent < seconds
        return Timing(
            kernel: kernel, shape: shape, milliseconds: best * 1e3, operations: operations,
            bytes: 4 * floats)
    }
}
