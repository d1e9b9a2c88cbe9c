import CKernels

/// The most that a core can do: fused multiply-adds between registers, as wide as it has them.
package enum MultiplyAddPeak {
    /// Floating-point operations a second of the calling thread, over about so much processor time.
    ///
    /// In bfloat16 those of the instruction for pairs, where kernels use it.
    package static func measure(seconds: Double, _ precision: Precision = .f32) -> Double {
        var (operations, spent) = (0, 0.0)
        repeat {
            let start = ThreadClock.seconds()
            operations += loop(rounds: 100_000, precision)
            spent += ThreadClock.seconds() - start
        } while spent < seconds
        return Double(operations) / spent
    }

    private static func loop(rounds: Int, _ precision: Precision) -> Int {
        if precision == .bf16, Instructions.chosen == .avx512bf16 {
            return dtrain_multiply_adds_bf16(rounds)
        }
        if Instructions.chosen.isWide { return dtrain_multiply_adds_avx512(rounds) }
        var sums = (
            Wide(repeating: 0), Wide(repeating: 1), Wide(repeating: 2), Wide(repeating: 3),
            Wide(repeating: 4), Wide(repeating: 5), Wide(repeating: 6), Wide(repeating: 7),
            Wide(repeating: 8), Wide(repeating: 9), Wide(repeating: 10), Wide(repeating: 11)
        )
        let (factor, term) = (Wide(repeating: 0.999), Wide(repeating: 0.001))
        @inline(__always) func advance(_ sum: inout Wide) {
            sum = term.addingProduct(sum, factor)
        }
        for _ in 0..<rounds {
            advance(&sums.0)
            advance(&sums.1)
            advance(&sums.2)
            advance(&sums.3)
            advance(&sums.4)
            advance(&sums.5)
            advance(&sums.6)
            advance(&sums.7)
            advance(&sums.8)
            advance(&sums.9)
            advance(&sums.10)
            advance(&sums.11)
        }
        let first = sums.0 + sums.1 + sums.2 + sums.3 + sums.4 + sums.5
        let second = sums.6 + sums.7 + sums.8 + sums.9 + sums.10 + sums.11
        // Asked, so that the loop is not for nothing.
        return (first + second).total.isNaN ? 0 : 12 * 2 * 8 * rounds
    }
}
