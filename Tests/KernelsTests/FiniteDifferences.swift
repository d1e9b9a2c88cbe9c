import Kernels
import Testing

/// Seeded matrices, and derivatives of anything measured by central differences.
final class Laboratory {
    let arena = Arena()
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// Uniform in -1...1. Source: Steele, Lea, Flood (2014), SplitMix64.
    func uniform() -> Float {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Float(z >> 40) / Float(1 << 23) - 1
    }

    func random(_ rows: Int, _ columns: Int, around center: Float = 0) -> Matrix {
        let matrix = arena.matrix(rows, columns)
        for row in 0..<rows {
            for column in 0..<columns { matrix[row, column] = center + uniform() }
        }
        return matrix
    }

    func empty(_ rows: Int, _ columns: Int) -> Matrix {
        let matrix = arena.matrix(rows, columns)
        matrix.fill(.nan)
        return matrix
    }

    func copy(_ matrix: Matrix) -> Matrix {
        let result = arena.matrix(matrix.rows, matrix.columns)
        result.copy(from: matrix)
        return result
    }

    func mask(_ count: Int, seed: UInt64 = 5, probability: Float = 0.3) -> Mask {
        let bits = arena.bits(count)
        let dropout = Dropout(probability: probability)
        dropout.fill(bits, Philox(seed: seed, 1, 2, 3))
        return Mask(bits: bits, scale: dropout.scale)
    }

    /// Compares `gradient` with the slope of `value` along three random directions of `operand`.
    ///
    /// `value` computes everything again; the slope is (f(x + h·u) - f(x - h·u)) / 2h.
    func check(
        _ name: String, _ operand: Matrix, _ gradient: Matrix, step: Float = 4e-3,
        tolerance: Double = 2e-3, value: () -> Double
    ) {
        let original = copy(operand)
        for _ in 0..<3 {
            let direction = random(operand.rows, operand.columns)
            func moved(_ length: Float) -> Double {
                for row in 0..<operand.rows {
                    for column in 0..<operand.columns {
                        operand[row, column] =
                            original[row, column] + length * direction[row, column]
                    }
                }
                return value()
            }
            let slope = (moved(step) - moved(-step)) / (2 * Double(step))
            let expected = dot(gradient, direction)
            let size = norm(gradient) / 2
            #expect(
                abs(slope - expected) <= tolerance * max(size, abs(expected), 1e-3),
                "\(name): measured \(slope), computed \(expected), of \(size)")
        }
        operand.copy(from: original)
    }
}

/// Σ a∘b in Double.
func dot(_ a: Matrix, _ b: Matrix) -> Double {
    zip(a.elements(), b.elements()).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

func norm(_ a: Matrix) -> Double { dot(a, a).squareRoot() }

func isClose(_ a: Matrix, _ b: Matrix, _ tolerance: Float = 1e-5) -> Bool {
    zip(a.elements(), b.elements()).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}
