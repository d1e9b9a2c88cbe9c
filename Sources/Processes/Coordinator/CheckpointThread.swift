import Checkpoint
import Foundation
import Resources
import Threads
import Wire

/// Writes checkpoints on a thread of its own, so that a slow disk does not hold up the run.
package final class CheckpointThread: @unchecked Sendable {
    enum Event: Sendable {
        case sliceWritten(step: Int, position: Int)
        case written(step: Int, path: String, digest: String)
        case failed(step: Int, CheckpointError)
        /// A parameter is not finite: nothing could be done with that checkpoint.
        case notFinite(step: Int)
    }

    /// What a checkpoint holds besides the vectors.
    struct Contents: Sendable {
        var tensors: [TensorShape]
        var tokenizer: [UInt8]?
        var more: [String: JSON]
        var epoch: @Sendable (_ step: Int) -> Int
    }

    private let paths: RunPaths
    private let contents: Contents
    private let keep: Int
    private let post: @Sendable (Event) -> Void
    private let thread: LanePool
    // Only on `thread`.
    private var writer: CheckpointWriter?
    private var failedStep: Int?

    init(
        paths: RunPaths, contents: Contents, keep: Int, post: @escaping @Sendable (Event) -> Void
    ) throws(ResourceError) {
        thread = try LanePool(lanes: 1)
        self.paths = paths
        self.contents = contents
        self.keep = keep
        self.post = post
    }

    /// Appends a slice; the first one of a step opens its checkpoint.
    func write(_ slice: StateSlice, position: Int) {
        thread.run { [self] _ in
            guard failedStep != slice.step else { return }
            if slice.section == .parameters && !slice.isFinite { return refuse(slice.step) }
            do throws(CheckpointError) {
                if slice.section == .parameters && slice.offset == 0 { try open(slice) }
                try append(slice.bytes)
                post(.sliceWritten(step: slice.step, position: position))
            } catch {
                fail(slice.step, error)
            }
        }
    }

    /// All slices have been written: makes the checkpoint durable and visible.
    func commit(step: Int) {
        thread.run { [self] _ in
            guard let writer, writer.step == step else { return }
            do throws(CheckpointError) {
                let folder = try writer.commit()
                self.writer = nil
                try CheckpointShelf(paths.checkpoints).prune(keep: keep, newest: step)
                post(.written(step: step, path: folder.path, digest: folder.digest))
            } catch {
                fail(step, error)
            }
        }
    }

    func abandon(step: Int) {
        thread.run { [self] _ in
            failedStep = nil
            guard let writer, writer.step == step else { return }
            writer.abandon()
            self.writer = nil
        }
    }

    func stop() { thread.stop() }

    private func open(_ slice: StateSlice) throws(CheckpointError) {
        failedStep = nil
        writer?.abandon()
        writer = nil
        let state = CheckpointState(
            step: slice.step, adamCount: slice.adamCount, epoch: contents.epoch(slice.step),
            more: contents.more)
        writer = try CheckpointWriter(
            in: paths.checkpoints, state: state, tensors: contents.tensors,
            tokenizer: contents.tokenizer)
    }

    private func append(_ bytes: [UInt8]) throws(CheckpointError) {
        guard let writer else { return }
        var failure: CheckpointError?
        bytes.withUnsafeBytes { buffer in
            do throws(CheckpointError) {
                try writer.append(buffer)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func fail(_ step: Int, _ error: CheckpointError) {
        drop(step)
        post(.failed(step: step, error))
    }

    private func refuse(_ step: Int) {
        drop(step)
        post(.notFinite(step: step))
    }

    private func drop(_ step: Int) {
        writer?.abandon()
        writer = nil
        failedStep = step
    }
}

extension StateSlice {
    /// Whether all its elements are finite.
    fileprivate var isFinite: Bool {
        bytes.withUnsafeBytes { bytes in
            (0..<elements).allSatisfy {
                bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self).isFinite
            }
        }
    }
}
