import Checkpoint
import Foundation

/// The digests of a ledger's steps, found without reading the whole file.
///
/// Lines are in the order of their steps, so a step is found by halving the file.
package struct LedgerView: Sendable {
    /// What a line says of the bits.
    package struct Bits: Equatable, Sendable {
        /// The step, from 1.
        package var step: Int
        /// The digest of the folded gradient.
        package var total: String
        /// The digest of parameters and moments before the update.
        package var state: String
    }

    /// What two ledgers have in common.
    package enum Comparison: Equatable, Sendable {
        /// No step is in both.
        case nothingInCommon
        /// All steps that are in both are equal, up to this one.
        case equal(through: Int)
        /// This is the first step that differs.
        case differs(at: Int)
    }

    private let path: String

    /// Looks at the ledger of a run.
    package init(_ paths: RunPaths) { path = paths.ledger }

    /// The bits of a step; nil where the ledger has none.
    package func bits(of step: Int) -> Bits? {
        guard let file = try? ReadableFile(path) else { return nil }
        return bits(of: step, in: file)
    }

    /// The bits of the last whole line.
    package var last: Bits? {
        guard let file = try? ReadableFile(path) else { return nil }
        var end = file.size
        // A torn line, and one more if that was cut within.
        for _ in 0..<3 {
            guard let line = line(endingBefore: end, in: file) else { return nil }
            if let bits = Self.bits(line.bytes) { return bits }
            end = line.begin
        }
        return nil
    }

    /// Compares all steps that are in both: once states differ they stay so.
    package func compare(with other: LedgerView) -> Comparison {
        guard let ours = try? ReadableFile(path), let theirs = try? ReadableFile(other.path),
            let first = [firstStep(ours), other.firstStep(theirs)].compactMap({ $0 }).max(),
            let last = [self.last?.step, other.last?.step].compactMap({ $0 }).min(),
            first <= last
        else { return .nothingInCommon }
        func differs(_ step: Int) -> Bool {
            guard let one = bits(of: step, in: ours), let two = other.bits(of: step, in: theirs)
            else { return false }
            return one.total != two.total || one.state != two.state
        }
        guard differs(last) || differs(first) else { return .equal(through: last) }
        var (low, high) = (first, last)
        while low < high {
            let middle = (low + high) / 2
            if differs(middle) { high = middle } else { low = middle + 1 }
        }
        return .differs(at: low)
    }

    private func firstStep(_ file: ReadableFile) -> Int? {
        line(containing: 0, in: file).flatMap { Self.bits($0.bytes)?.step }
    }

    private func bits(of step: Int, in file: ReadableFile) -> Bits? {
        var (low, high) = (0, file.size)
        while low < high {
            guard let line = line(containing: (low + high) / 2, in: file) else { return nil }
            guard let bits = Self.bits(line.bytes) else {
                // Torn or damaged: what stands before it can still be found.
                high = line.begin
                continue
            }
            if bits.step == step { return bits }
            if bits.step < step {
                low = line.begin + line.bytes.count + 1
            } else {
                high = line.begin
            }
        }
        return nil
    }

    private typealias Line = (begin: Int, bytes: [UInt8])
    private static let piece = 16_384
    private static let longest = 4 << 20

    /// The line in which a byte lies; its newline belongs to it.
    private func line(containing offset: Int, in file: ReadableFile) -> Line? {
        var begin = offset
        var head: [UInt8] = []
        while begin > 0, head.count < Self.longest {
            let lower = max(0, begin - Self.piece)
            guard let bytes = try? file.bytes(lower..<begin) else { return nil }
            if let newline = bytes.lastIndex(of: 10) {
                head = bytes[(newline + 1)...] + head
                begin = lower + newline + 1
                break
            }
            head = bytes + head
            begin = lower
        }
        var end = offset
        while end < file.size, end - begin < Self.longest {
            let upper = min(file.size, end + Self.piece)
            guard let bytes = try? file.bytes(end..<upper) else { return nil }
            if let newline = bytes.firstIndex(of: 10) {
                return (begin, head + bytes[..<newline])
            }
            head += bytes
            end = upper
        }
        return (begin, head)
    }

    private func line(endingBefore end: Int, in file: ReadableFile) -> Line? {
        end > 0 ? line(containing: end - 1, in: file) : nil
    }

    /// The values of a whole line.
    private static func bits(_ line: [UInt8]) -> Bits? {
        guard line.last == UInt8(ascii: "}") else { return nil }
        guard let total = text("total", in: line), let state = text("state", in: line),
            let step = number("step", in: line)
        else { return nil }
        return Bits(step: step, total: total, state: state)
    }

    /// Keys are sorted: these stand behind the samples, near the end.
    private static func behind(_ key: String, in line: [UInt8]) -> ArraySlice<UInt8>? {
        let key = Array("\"\(key)\":".utf8)
        var start = line.count - key.count
        while start >= 0, !line[start...].starts(with: key) { start -= 1 }
        return start >= 0 ? line[(start + key.count)...] : nil
    }

    private static func text(_ key: String, in line: [UInt8]) -> String? {
        guard let rest = behind(key, in: line), rest.first == UInt8(ascii: "\"") else { return nil }
        let text = rest.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
        return text.count <= 128 ? String(decoding: text, as: UTF8.self) : nil
    }

    private static func number(_ key: String, in line: [UInt8]) -> Int? {
        behind(key, in: line).flatMap {
            Int(String(decoding: $0.prefix { (48...57).contains($0) }, as: UTF8.self))
        }
    }
}
