// Compiled with all files of Sources/Kernels as one module, by cluster/check-functions.
import CReference
import Glibc
import Synchronization

/// Measures the errors of the functions of float32 over all numbers, or every n-th of them.
///
/// Each value is compared with the C library's float64 one, which is a 2⁻²⁹th of a float32's last place from
/// the truth at most; whatever comes near the largest error so far is measured again at 113 bits.
@main struct Exhaustive {
    struct Function: Sendable {
        let name: String
        let domain: ClosedRange<Float>
        /// The largest error that may be found.
        let bound: Double
        /// Whether errors are in units in the last place of the value, else of numbers below 1.
        let isRelative: Bool
        let reference: Int32
        let ours: @Sendable (Wide) -> Wide
        let precise: @Sendable (Double) -> Double
    }

    static let functions = [
        Function(
            name: "e^x", domain: -87...88, bound: 2, isRelative: true,
            reference: Int32(exponential.rawValue), ours: { exponential($0) },
            precise: { Glibc.exp($0) }),
        Function(
            name: "ln x", domain: Float.leastNonzeroMagnitude...Float.greatestFiniteMagnitude,
            bound: 0.5001, isRelative: true, reference: Int32(logarithm.rawValue),
            ours: { x in
                var result = Wide.zero
                for lane in 0..<8 { result[lane] = Elementary.logarithm(x[lane]) }
                return result
            }, precise: { Glibc.log($0) }),
        Function(
            name: "sigmoid x", domain: -87...88, bound: 4, isRelative: true,
            reference: Int32(CReference.sigmoid.rawValue), ours: { sigmoid($0) },
            precise: { 1 / (1 + Glibc.exp(-$0)) }),
        Function(
            name: "tanh x", domain: -40...40, bound: 4, isRelative: false,
            reference: Int32(tangent.rawValue), ours: { hyperbolicTangent($0) },
            precise: { Glibc.tanh($0) }),
        Function(
            name: "erf x", domain: -10...10, bound: 8, isRelative: false,
            reference: Int32(error_function.rawValue), ours: { errorFunction($0) },
            precise: { Glibc.erf($0) }),
    ]

    struct Worst: Sendable {
        var error = 0.0
        var place: Float = 0
        var count = 0
    }

    static func main() {
        let step = CommandLine.arguments.dropFirst().first.flatMap { UInt32($0) } ?? 1
        var isWrong = false
        for function in functions {
            let worst = measure(function, step: step)
            let unit = function.isRelative ? "ulp" : "units of 2^-24"
            let verdict = worst.error <= function.bound ? "at most" : "MORE THAN"
            isWrong = isWrong || worst.error > function.bound || worst.count == 0
            print(
                "\(function.name): \(worst.error) \(unit) at \(worst.place), \(verdict) "
                    + "\(function.bound), of \(worst.count) numbers")
        }
        exit(isWrong ? 1 : 0)
    }

    static func measure(_ function: Function, step: UInt32) -> Worst {
        var worst = Worst()
        var (x, filled) = (Wide.zero, 0)
        for first in [UInt32(0), 0x8000_0000] {
            for offset in stride(from: UInt32(0), to: 0x7F80_0000, by: Int(step)) {
                let number = Float(bitPattern: first | offset)
                guard function.domain.contains(number) else { continue }
                x[filled] = number
                filled += 1
                if filled == 8 {
                    compare(function, x, 8, &worst)
                    filled = 0
                }
            }
        }
        compare(function, x, filled, &worst)
        return worst
    }

    @inline(__always)
    static func compare(_ function: Function, _ x: Wide, _ count: Int, _ worst: inout Worst) {
        let values = function.ours(x)
        for lane in 0..<count {
            worst.count += 1
            let (number, value) = (Double(x[lane]), Double(values[lane]))
            let unit = function.isRelative ? Double(Float(function.precise(number)).ulp) : 0x1p-24
            guard abs(value - function.precise(number)) / unit > worst.error - 1e-6 else {
                continue
            }
            let error = abs(dtrain_difference(function.reference, number, value)) / unit
            if !(error <= worst.error) {
                worst.error = error
                worst.place = x[lane]
            }
        }
    }
}
