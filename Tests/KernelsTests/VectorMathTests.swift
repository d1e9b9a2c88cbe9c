import Foundation
import Kernels
import Testing

/// Elementary functions through the primitives that use them, against the C library in Double.
@Suite("Vectorised functions are accurate")
struct VectorMathTests {
    let lab = Laboratory(seed: 2)

    /// -12...12 in steps that meet no round numbers.
    private func inputs() -> Matrix {
        let x = lab.arena.matrix(1, 4801)
        for column in 0..<x.columns { x[0, column] = Float(column - 2400) / 199.9 }
        return x
    }

    @Test(
        "GELU, SiLU, ReLU and their slopes",
        arguments: Activation.allCases)
    func activation(function: Activation) {
        let x = inputs()
        let (h, y, bias) = (lab.copy(x), lab.empty(1, x.columns), lab.empty(1, x.columns))
        bias.fill(0)
        function.forward(h, bias: bias, mask: nil, into: y, keepSlope: true)
        for column in 0..<x.columns {
            let (value, slope) = Self.reference(function, Double(x[0, column]))
            let tolerance = 1e-6 * max(1, abs(value))
            #expect(abs(Double(y[0, column]) - value) < tolerance)
            #expect(abs(Double(h[0, column]) - slope) < 2e-6)
        }
    }

    static func reference(_ function: Activation, _ x: Double) -> (Double, Double) {
        switch function {
        case .relu: return x > 0 ? (x, 1) : (0, 0)
        case .gelu:
            let phi = 0.5 * (1 + erf(x / 2.0.squareRoot()))
            return (x * phi, phi + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot())
        case .silu:
            let s = 1 / (1 + exp(-x))
            return (x * s, s + x * s * (1 - s))
        case .sigmoid:
            let s = 1 / (1 + exp(-x))
            return (s, s * (1 - s))
        case .tanh: return (Foundation.tanh(x), 1 - Foundation.tanh(x) * Foundation.tanh(x))
        }
    }

    @Test("Softmax of far apart logits neither overflows nor loses its sum")
    func softmax() {
        let x = lab.arena.matrix(1, 5)
        for (column, value) in [Float(3e4), 2.9999e4, 0, -3e4, 3e4].enumerated() {
            x[0, column] = value
        }
        var sums = CrossEntropy.Sums()
        let label = lab.arena.indices([0])
        CrossEntropy.rows(x, labels: label, smoothing: 0, scale: 1, sums: &sums)
        #expect(abs(sums.smoothed - log(2 + exp(-1))) < 1e-6)
        #expect(abs(x.elements().reduce(0, +)) < 1e-6)
    }

    @Test("Philox gives the words that its authors publish")
    func philoxKnownAnswers() {
        // Random123, kat_vectors, philox4x32 with 10 rounds: counter and key all zero.
        let words = Philox(seed: 0, 0, 0, 0).words(0)
        #expect(words == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        // And all ones.
        let ones = UInt32.max
        #expect(
            Philox(seed: .max, ones, ones, ones).words(ones)
                == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
    }

    @Test("Dropout keeps its share, and each place draws its own numbers")
    func dropout() {
        let (first, second) = (lab.mask(100_003, seed: 5), lab.mask(100_003, seed: 6))
        let kept = (0..<100_003).filter { first.bits[$0] }.count
        #expect(abs(Double(kept) / 100_003 - 0.7) < 0.006)
        let both = (0..<100_003).filter { first.bits[$0] && second.bits[$0] }.count
        #expect(abs(Double(both) / 100_003 - 0.49) < 0.006)
        #expect(abs(first.scale * 0.7 - 1) < 1e-4)
    }

    @Test("Sums for the ring take their bytes at any alignment")
    func unalignedSums() {
        let (a, b) = (lab.random(1, 29), lab.random(1, 29))
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 29 * 4 + 3, alignment: 4)
        defer { bytes.deallocate() }
        bytes.baseAddress!.advanced(by: 3).copyMemory(from: a.base, byteCount: 29 * 4)
        let sum = lab.empty(1, 29)
        add(UnsafeRawPointer(bytes.baseAddress! + 3), b.base, into: sum.base, count: 29)
        accumulate(UnsafeRawPointer(bytes.baseAddress! + 3), into: b.base, count: 29)
        #expect(sum.elements() == b.elements())
    }
}
