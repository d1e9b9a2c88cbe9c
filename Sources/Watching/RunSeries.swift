import Checkpoint
import Foundation
import Glibc
import Synchronization

/// The series of a run, read from `metrics.jsonl` as it grows, in a form that is quick to show.
///
/// The pyramid lies in `RUN/series`. Where that cannot be written, or another process has it open, it
/// lies in the user's cache, and where that fails in a folder that goes with this object.
package final class RunSeries {
    /// What the pyramid holds, as it was last made sure of.
    private struct Kept: Codable {
        var format = Kept.format
        var steps: Int
        var offset: Int
        var mark: [UInt8]
        var heldOut: [HeldOut]
        /// A number that is another whenever the series begin anew.
        static let format = 1
    }

    /// What a look at the held-out part has found.
    package struct HeldOut: Codable, Equatable, Sendable {
        /// After this step.
        package var step: Int
        /// By the keys of `metrics.jsonl`, without `step` and `labels`.
        package var figures: [String: Double]
    }

    /// A stretch of a run's steps.
    package struct Stretch: Sendable {
        /// The steps that each block begins with, from 1.
        package var begins: [Int]
        /// Steps to a block; those at the ends may have fewer.
        package var each: Int
        /// A summary a column, for every block.
        package var blocks: [[Summary]]
    }

    /// The last step that has been measured; 0 without any.
    package var steps: Int { pyramid.count }
    /// In the order of steps.
    package private(set) var heldOut: [HeldOut]
    /// Counts how often the series have begun anew, because the file was another.
    package private(set) var restarts = 0
    /// Where the pyramid lies.
    package let place: String
    private let paths: RunPaths
    private let lock: FolderLock
    private var tail: LineTail
    private var pyramid: Pyramid
    private var line = MetricsLine()
    private var isDirty = false

    /// Opens or begins the series of a run. Throws: `io` where there is no place at all for them.
    package init(_ paths: RunPaths) throws(CheckpointError) {
        self.paths = paths
        (place, lock) = try Self.place(paths)
        let kept = Self.kept(in: place)
        if let kept, let pyramid = Pyramid(place, count: kept.steps) {
            self.pyramid = pyramid
            heldOut = kept.heldOut
            tail = LineTail(paths.metrics, offset: kept.offset, mark: kept.mark)
        } else {
            guard let pyramid = Pyramid(place, count: 0) else {
                throw .io(path: place, operation: .open, code: EACCES)
            }
            self.pyramid = pyramid
            heldOut = []
            tail = LineTail(paths.metrics)
        }
    }

    /// Reads what has been added to the file. Returns whether anything has.
    ///
    /// - Parameter limit: about so many bytes at most, so that who waits can be told how far it is.
    @discardableResult
    package func update(limit: Int = .max) -> Bool {
        let before = tail.offset
        let change = tail.read(limit: limit, restart: begin) { take($0) }
        guard change != .missing else { return false }
        guard tail.offset != before || change == .replaced else { return false }
        isDirty = true
        return true
    }

    /// The share of the file that has been read.
    package var progress: Double {
        guard let size = (try? ReadableFile(paths.metrics))?.size, size > 0 else { return 1 }
        return min(1, Double(tail.offset) / Double(size))
    }

    /// Makes the next `init` quick. What cannot be written is left to be done again.
    package func save() {
        guard isDirty, pyramid.flush() else { return }
        let kept = Kept(
            steps: pyramid.count, offset: tail.offset, mark: tail.mark, heldOut: heldOut)
        guard let data = try? JSONForm.encoder().encode(kept),
            (try? WholeFile.write(String(decoding: data, as: UTF8.self), to: place + "/kept.json"))
                != nil
        else { return }
        isDirty = false
    }

    /// The steps of `range`, in about `points` blocks at most; a block has 2ᵏ steps.
    package func stretch(_ range: ClosedRange<Int>, points: Int) -> Stretch {
        let lower = max(1, range.lowerBound)
        let upper = min(pyramid.count, range.upperBound)
        guard lower <= upper else { return Stretch(begins: [], each: 1, blocks: []) }
        var each = 1
        while (upper - lower + each) / each > max(1, points) { each *= 2 }
        let blocks = pyramid.summaries(lower - 1..<upper, each: each)
        let first = (lower - 1) / each
        return Stretch(
            begins: blocks.indices.map { max(lower, (first + $0) * each + 1) }, each: each,
            blocks: blocks)
    }

    private func begin() {
        restarts += 1
        heldOut = []
        if let fresh = Pyramid(place, count: 0) { pyramid = fresh }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard line.read(bytes) else { return }
        guard line.others.contains(where: { $0.name == "validation_loss" }) else {
            pyramid.append(step: line.step, line.values)
            return
        }
        let figures = line.others.filter { $0.name != "labels" }
        heldOut.removeAll { $0.step >= line.step }
        heldOut.append(
            HeldOut(
                step: line.step,
                figures: Dictionary(
                    figures.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })))
    }

    // MARK: where it lies

    private static func kept(in place: String) -> Kept? {
        guard let file = try? ReadableFile(place + "/kept.json"), file.size <= 64 << 20,
            let bytes = try? file.bytes(0..<file.size),
            let kept = try? JSONForm.decoder().decode(Kept.self, from: Data(bytes)),
            kept.format == Kept.format, kept.steps >= 0, kept.steps < 1 << 40, kept.offset >= 0
        else { return nil }
        return kept
    }

    private static func place(
        _ paths: RunPaths
    ) throws(CheckpointError) -> (String, FolderLock) {
        let name = String(SHA256.digest(Array(paths.folder.utf8)).prefix(16))
        for folder in [paths.series, cache + "/" + name] {
            if let lock = FolderLock(folder) { return (folder, lock) }
        }
        let folder = "\(NSTemporaryDirectory())/dtrain-series-\(getpid())-\(number())"
        guard let lock = FolderLock(folder, isPassing: true) else {
            throw .io(path: folder, operation: .makeFolder, code: EACCES)
        }
        return (folder, lock)
    }

    private static var cache: String {
        let environment = ProcessInfo.processInfo.environment
        let base =
            environment["XDG_CACHE_HOME"] ?? environment["HOME"].map { $0 + "/.cache" } ?? "/tmp"
        return base + "/dtrain/series"
    }

    private static let made = Mutex(0)
    private static func number() -> Int {
        made.withLock {
            $0 += 1
            return $0
        }
    }
}

/// A folder that one process writes.
final class FolderLock {
    private let folder: String
    private let descriptor: Int32
    /// It goes with this object.
    private let isPassing: Bool

    /// Makes the folder where it is missing; nil where it cannot be written or is another's.
    init?(_ folder: String, isPassing: Bool = false) {
        self.folder = folder
        self.isPassing = isPassing
        guard (try? makeFolders(folder)) != nil else { return nil }
        descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit {
        close(descriptor)
        if isPassing { try? FileManager.default.removeItem(atPath: folder) }
    }
}
