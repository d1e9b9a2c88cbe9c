import Foundation
import Kernels
import Testing

@Suite("Elementary functions")
struct ElementaryTests {
    /// One line of `functions.tsv`: the value at 128 bits is high + low.
    struct Reference {
        let arguments: [Double]
        let high, low: Double

        /// How far `value` is from it, in units in the last place.
        func error(of value: Double) -> Double { abs((value - high) - low) / high.ulp }
    }

    static let references: [String: [Reference]] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/functions.tsv")
        guard let text = try? String(contentsOf: path, encoding: .utf8) else { return [:] }
        return text.split(separator: "\n").reduce(into: [:]) { result, line in
            let fields = line.split(separator: "\t").map(String.init)
            let numbers = fields.dropFirst().map {
                Double(bitPattern: UInt64($0, radix: 16) ?? 0)
            }
            result[fields[0], default: []].append(
                Reference(
                    arguments: Array(numbers.dropLast(2)), high: numbers[numbers.count - 2],
                    low: numbers[numbers.count - 1]))
        }
    }()

    /// The largest error of a function over its references, of which there are `count` at least.
    private func worst(
        _ name: String, atLeast count: Int, _ value: ([Double]) -> Double
    ) throws -> Double {
        let references = try #require(Self.references[name])
        #expect(references.count >= count)
        return references.map { $0.error(of: value($0.arguments)) }.max() ?? .infinity
    }

    @Test func `The logarithm is within 0.9 ulp`() throws {
        #expect(try worst("logarithm", atLeast: 400) { Elementary.logarithm($0[0]) } < 0.9)
        #expect(Elementary.logarithm(0.0) == -.infinity)
        #expect(Elementary.logarithm(-1.0).isNaN && Elementary.logarithm(Double.nan).isNaN)
        #expect(Elementary.logarithm(Double.infinity) == .infinity)
        #expect(Elementary.logarithm(1.0) == 0)
    }

    @Test func `The exponential function is within 0.9 ulp, and ends in 0 and infinity`() throws {
        #expect(try worst("exponential", atLeast: 400) { Elementary.exponential($0[0]) } < 0.9)
        #expect(Elementary.exponential(0) == 1)
        #expect(Elementary.exponential(710) == .infinity && Elementary.exponential(-746) == 0)
        #expect(Elementary.exponential(.infinity) == .infinity)
        #expect(Elementary.exponential(-.infinity) == 0 && Elementary.exponential(.nan).isNaN)
        // Below the normal numbers it is rounded a second time.
        #expect(Elementary.exponential(-745) == .leastNonzeroMagnitude)
    }

    @Test func `Sine and cosine are within 0.9 ulp`() throws {
        #expect(try worst("sine", atLeast: 300) { Elementary.sine($0[0]) } < 0.9)
        #expect(try worst("cosine", atLeast: 300) { Elementary.cosine($0[0]) } < 0.9)
        #expect(Elementary.sine(0) == 0 && Elementary.cosine(0) == 1)
    }

    @Test func `Whole powers are within 0.501 ulp, whatever the exponent`() throws {
        let error = try worst("whole power", atLeast: 50) {
            Elementary.power($0[0], Int($0[1]))
        }
        #expect(error < 0.501)
        #expect(Elementary.power(0.9, 1 << 40) == 0)
    }

    @Test func `Broken powers are within 2 ulp and the size of the exponent`() throws {
        for reference in try #require(Self.references["power"]) {
            let (x, y) = (reference.arguments[0], reference.arguments[1])
            let error = reference.error(of: Elementary.power(x, y))
            #expect(error < 2 + abs(y * Elementary.logarithm(x)), "\(x) to the \(y): \(error) ulp")
        }
    }

    @Test func `Of float32 the logarithm is the nearest number`() {
        for exponent in -140..<128 {
            for step in 0..<64 {
                let x = Float(sign: .plus, exponent: exponent, significand: 1 + Float(step) / 64)
                let (ours, precise) = (Elementary.logarithm(x), log(Double(x)))
                #expect(abs(Double(ours) - precise) <= 0.5001 * Double(ours.ulp))
            }
        }
    }
}
