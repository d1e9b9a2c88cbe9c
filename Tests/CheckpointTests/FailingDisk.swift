import Checkpoint
import Foundation
import Synchronization

/// A disk on which one system call fails, of whatever kind, and perhaps all that follow.
final class FailingDisk: FileOperations {
    /// What befalls it.
    enum Kind: CaseIterable {
        case full, failingOnce, failing, readOnly

        var code: Int32 {
            switch self {
            case .full: ENOSPC
            case .failingOnce, .failing: EIO
            case .readOnly: EROFS
            }
        }

        /// Whether nothing succeeds any more: a full disk still removes, and syncs what it has.
        func forbids(_ operation: CheckpointError.SystemCall) -> Bool {
            switch self {
            case .full: [.write, .open, .makeFolder, .link].contains(operation)
            case .failingOnce: false
            case .failing, .readOnly: true
            }
        }
    }

    private let system = SystemFileOperations()
    private let kind: Kind
    private let remaining: Mutex<Int>

    /// `calls`: how many succeed before the first that fails.
    init(_ kind: Kind, after calls: Int) {
        self.kind = kind
        remaining = Mutex(calls)
    }

    /// Whether the call that fails has been made.
    var hasFailed: Bool { remaining.withLock { $0 < 0 } }

    private func attempt(
        _ operation: CheckpointError.SystemCall, _ path: String
    ) throws(CheckpointError) {
        let fails = remaining.withLock { remaining in
            if remaining < 0 { return kind.forbids(operation) }
            remaining -= 1
            return remaining < 0
        }
        if fails { throw .io(path: path, operation: operation, code: kind.code) }
    }

    func makeFolder(_ path: String) throws(CheckpointError) {
        try attempt(.makeFolder, path)
        try system.makeFolder(path)
    }

    func create(_ path: String) throws(CheckpointError) -> WritableFile {
        try attempt(.open, path)
        return try system.create(path)
    }

    func open(_ path: String) throws(CheckpointError) -> WritableFile {
        try attempt(.open, path)
        return try system.open(path)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: WritableFile, at offset: Int)
        throws(CheckpointError) -> Int
    {
        try attempt(.write, file.path)
        return try system.write(bytes, to: file, at: offset)
    }

    func truncate(_ file: WritableFile, to size: Int) throws(CheckpointError) {
        try attempt(.truncate, file.path)
        try system.truncate(file, to: size)
    }

    // Real synchronization would cost the test its time and show nothing.
    func synchronize(_ file: WritableFile) throws(CheckpointError) {
        try attempt(.synchronize, file.path)
    }

    func synchronizeFolder(_ path: String) throws(CheckpointError) {
        try attempt(.synchronize, path)
    }

    func rename(_ path: String, to other: String) throws(CheckpointError) {
        try attempt(.rename, path)
        try system.rename(path, to: other)
    }

    func remove(_ path: String) throws(CheckpointError) {
        try attempt(.remove, path)
        try system.remove(path)
    }

    func removeFolder(_ path: String) throws(CheckpointError) {
        try attempt(.remove, path)
        try system.removeFolder(path)
    }

    func link(_ path: String, to target: String) throws(CheckpointError) {
        try attempt(.link, path)
        try system.link(path, to: target)
    }
}
