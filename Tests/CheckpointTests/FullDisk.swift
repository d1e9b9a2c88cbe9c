import Checkpoint
import Foundation
import Synchronization

/// A disk that takes so many writes, then half of one, then none; counts synchronizations.
final class FullDisk: FileOperations {
    private let system = SystemFileOperations()
    private let writes: Mutex<Int>
    private let synchronized = Mutex(0)
    private let cannotTruncate = Mutex(false)
    private let cannotSynchronize = Mutex(false)

    init(writes: Int) { self.writes = Mutex(writes) }

    var synchronizations: Int { synchronized.withLock { $0 } }

    func free(writes: Int) { self.writes.withLock { $0 = writes } }
    func forbidTruncation(_ isForbidden: Bool) { cannotTruncate.withLock { $0 = isForbidden } }
    func failSynchronizing(_ fails: Bool) { cannotSynchronize.withLock { $0 = fails } }

    func write(_ bytes: UnsafeRawBufferPointer, to file: WritableFile, at offset: Int)
        throws(CheckpointError) -> Int
    {
        let left = writes.withLock { writes in
            writes -= 1
            return writes
        }
        if left >= 0 { return try system.write(bytes, to: file, at: offset) }
        guard left == -1 else {
            throw .io(path: file.path, operation: .write, code: ENOSPC)
        }
        let half = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])
        return try system.write(half, to: file, at: offset)
    }

    func truncate(_ file: WritableFile, to size: Int) throws(CheckpointError) {
        if cannotTruncate.withLock({ $0 }) {
            throw .io(path: file.path, operation: .truncate, code: EIO)
        }
        try system.truncate(file, to: size)
    }

    func synchronize(_ file: WritableFile) throws(CheckpointError) {
        if cannotSynchronize.withLock({ $0 }) {
            throw .io(path: file.path, operation: .synchronize, code: EIO)
        }
        synchronized.withLock { $0 += 1 }
        try system.synchronize(file)
    }

    func makeFolder(_ path: String) throws(CheckpointError) { try system.makeFolder(path) }
    func create(_ path: String) throws(CheckpointError) -> WritableFile {
        try system.create(path)
    }
    func open(_ path: String) throws(CheckpointError) -> WritableFile { try system.open(path) }
    func synchronizeFolder(_ path: String) throws(CheckpointError) {
        try system.synchronizeFolder(path)
    }
    func rename(_ path: String, to other: String) throws(CheckpointError) {
        try system.rename(path, to: other)
    }
    func remove(_ path: String) throws(CheckpointError) { try system.remove(path) }
    func removeFolder(_ path: String) throws(CheckpointError) { try system.removeFolder(path) }
    func link(_ path: String, to target: String) throws(CheckpointError) {
        try system.link(path, to: target)
    }
}
