import Checkpoint
import Foundation

/// How two tensors of one name and shape differ.
package struct TensorDifference: Sendable, Equatable {
    /// The tensor's name, with the section's prefix: `exp_avg.decoder.norm.weight`.
    package let name: String
    /// Numbers in it.
    package let count: Int
    /// Numbers whose bits differ.
    package let differing: Int
    /// The largest |a - b|; NaN where one of the two is no finite number.
    package let largest: Double
    /// ‖a - b‖ / ‖a‖; infinite where a is nothing but zeros.
    package let relative: Double

    /// Compares the numbers of two tensors of one length.
    package init(_ name: String, _ first: [Float], _ second: [Float]) {
        precondition(first.count == second.count, "\(first.count) and \(second.count) numbers")
        var differing = 0
        var largest = 0.0
        var isFinite = true
        var squares = 0.0
        var squaresOfFirst = 0.0
        for index in first.indices {
            let (one, other) = (first[index], second[index])
            squaresOfFirst += Double(one) * Double(one)
            guard one.bitPattern != other.bitPattern else { continue }
            differing += 1
            let distance = abs(Double(one) - Double(other))
            isFinite = isFinite && distance.isFinite
            largest = max(largest, distance)
            squares += distance * distance
        }
        self.name = name
        count = first.count
        self.differing = differing
        self.largest = isFinite ? largest : .nan
        relative = squares == 0 ? 0 : (squares / squaresOfFirst).squareRoot()
    }
}

/// A tensor that has no counterpart to compare it with.
package enum UnmatchedTensor: Sendable, Equatable {
    /// Only the first has it.
    case onlyFirst(name: String)
    /// Only the second has it.
    case onlySecond(name: String)
    /// Both have it, in other shapes.
    case otherShape(name: String, first: [Int], second: [Int])
}

/// How the tensors of one file differ from those of another.
package struct TensorDifferences: Sendable, Equatable {
    /// Tensors that both have.
    package private(set) var compared = 0
    /// Those of them that differ, in the order of the file.
    package private(set) var differing: [TensorDifference] = []
    /// Those that cannot be compared, in the order of the first file, then of the second.
    package private(set) var unmatched: [UnmatchedTensor] = []

    /// Whether all tensors are there in both, bit for bit.
    package var isEqual: Bool { differing.isEmpty && unmatched.isEmpty }

    /// Compares two files, one tensor after the other. Throws: `io`, `cutShort`, `tensorType`.
    package init(_ first: SafetensorsFile, _ second: SafetensorsFile) throws(CheckpointError) {
        for tensor in first.tensors {
            guard let other = second[tensor.name] else {
                unmatched.append(.onlyFirst(name: tensor.name))
                continue
            }
            guard other.shape == tensor.shape else {
                unmatched.append(
                    .otherShape(name: tensor.name, first: tensor.shape, second: other.shape))
                continue
            }
            compared += 1
            let difference = TensorDifference(
                tensor.name, try first.floats(tensor.name), try second.floats(tensor.name))
            if difference.differing > 0 { differing.append(difference) }
        }
        for tensor in second.tensors where first[tensor.name] == nil {
            unmatched.append(.onlySecond(name: tensor.name))
        }
    }
}
