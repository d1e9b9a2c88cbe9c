import Checkpoint
import Foundation
import Synchronization

/// A file system that stops the world at a chosen system call, and can then lose its memory.
///
/// All calls are made on the real one. The last call before the end may be torn: a write that took
/// some of its bytes. `losePower` then takes back what was never synchronized; synchronizing is only
/// noted, for the real call would cost the test its time and show nothing.
final class CrashingOperations: FileOperations {
    /// What a power loss may take with it.
    enum Loss: CaseIterable {
        case nothing, unsynchronizedData, unsynchronizedNames, both
    }

    /// How much of the write at which the world stops has been done.
    enum Tear: CaseIterable {
        case half, nothing, firstByte, allButTheLastByte, everything

        func bytes(of count: Int) -> Int {
            switch self {
            case .half: count / 2
            case .nothing: 0
            case .firstByte: min(1, count)
            case .allButTheLastByte: max(0, count - 1)
            case .everything: count
            }
        }
    }

    private struct State {
        var remaining: Int
        /// Calls since the end.
        var refused = 0
        var writes: Set<Int> = []
        var performed = 0
        /// Contents at the last synchronization, of files written to since.
        var unsynchronized: [String: [UInt8]] = [:]
        var names: [NameChange] = []
    }

    private struct NameChange {
        enum Kind {
            case made
            case removed(contents: [UInt8]?)
            case renamed(to: String)
        }
        let path: String
        let kind: Kind
        var isDurable = false
    }

    private let system = SystemFileOperations()
    private let tear: Tear
    private let ignoresSynchronization: Bool
    private let state: Mutex<State>

    init(calls: Int = .max, tear: Tear = .half, ignoresSynchronization: Bool = false) {
        self.tear = tear
        state = Mutex(State(remaining: calls))
        self.ignoresSynchronization = ignoresSynchronization
    }

    var performed: Int { state.withLock { $0.performed } }
    var hasCrashed: Bool { state.withLock { $0.remaining == 0 } }
    /// The calls that were writes, counted from 0.
    var writes: Set<Int> { state.withLock { $0.writes } }

    /// Takes back, latest first, what the loss takes.
    func losePower(_ loss: Loss) throws {
        try state.withLock { state in
            if loss == .unsynchronizedData || loss == .both {
                for (path, contents) in state.unsynchronized {
                    if FileManager.default.fileExists(atPath: path) {
                        try Data(contents).write(to: URL(filePath: path))
                    }
                }
            }
            guard loss == .unsynchronizedNames || loss == .both else { return }
            var kept: [(from: String, to: String)] = []
            for change in state.names.reversed() {
                var path = change.path
                if case .renamed(let other) = change.kind, change.isDurable {
                    kept.insert((path, other), at: 0)
                }
                if change.isDurable { continue }
                for rename in kept { path = moved(path, rename.from, rename.to) }
                switch change.kind {
                case .made: try FileManager.default.removeItem(atPath: path)
                case .removed(let contents?): try Data(contents).write(to: URL(filePath: path))
                case .removed: try system.makeFolder(path)
                case .renamed(let other):
                    let now = kept.reduce(other) { moved($0, $1.from, $1.to) }
                    try system.rename(now, to: path)
                }
            }
        }
    }

    private func count() throws(CheckpointError) {
        let isAlive = state.withLock { state in
            guard state.remaining > 0 else {
                state.refused += 1
                return false
            }
            state.remaining -= 1
            state.performed += 1
            return true
        }
        guard isAlive else { throw .io(path: "", operation: .status, code: EINTR) }
    }

    private func moved(_ path: String, _ from: String, _ to: String) -> String {
        path == from || path.hasPrefix(from + "/") ? to + path.dropFirst(from.count) : path
    }

    private func note(_ path: String, _ kind: NameChange.Kind) {
        state.withLock { $0.names.append(NameChange(path: path, kind: kind)) }
    }

    private func contents(_ path: String) -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: path) ?? Data())
    }
}

extension CrashingOperations {
    func makeFolder(_ path: String) throws(CheckpointError) {
        try count()
        try system.makeFolder(path)
        note(path, .made)
    }

    func create(_ path: String) throws(CheckpointError) -> WritableFile {
        try count()
        let file = try system.create(path)
        note(path, .made)
        return file
    }

    func open(_ path: String) throws(CheckpointError) -> WritableFile {
        try count()
        let isNew = !FileManager.default.fileExists(atPath: path)
        let file = try system.open(path)
        if isNew { note(path, .made) }
        return file
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: WritableFile, at offset: Int)
        throws(CheckpointError) -> Int
    {
        let before = contents(file.path)
        state.withLock { state in
            state.writes.insert(state.performed)
            if state.unsynchronized[file.path] == nil { state.unsynchronized[file.path] = before }
        }
        do throws(CheckpointError) {
            try count()
        } catch {
            // Only the call at which the world stops: what is tried later has no effect.
            if state.withLock({ $0.refused == 1 }) {
                let part = bytes[..<tear.bytes(of: bytes.count)]
                _ = try system.write(UnsafeRawBufferPointer(rebasing: part), to: file, at: offset)
            }
            throw error
        }
        return try system.write(bytes, to: file, at: offset)
    }

    func truncate(_ file: WritableFile, to size: Int) throws(CheckpointError) {
        try count()
        try system.truncate(file, to: size)
    }

    func synchronize(_ file: WritableFile) throws(CheckpointError) {
        try count()
        guard !ignoresSynchronization else { return }
        state.withLock { $0.unsynchronized[file.path] = nil }
    }

    func synchronizeFolder(_ path: String) throws(CheckpointError) {
        try count()
        guard !ignoresSynchronization else { return }
        state.withLock { state in
            for index in state.names.indices {
                let parent = (state.names[index].path as NSString).deletingLastPathComponent
                if parent == path { state.names[index].isDurable = true }
            }
        }
    }

    func rename(_ path: String, to other: String) throws(CheckpointError) {
        try count()
        try system.rename(path, to: other)
        note(path, .renamed(to: other))
        state.withLock { state in
            state.unsynchronized = Dictionary(
                uniqueKeysWithValues: state.unsynchronized.map {
                    (moved($0.key, path, other), $0.value)
                })
        }
    }

    func remove(_ path: String) throws(CheckpointError) {
        try count()
        let contents = contents(path)
        try system.remove(path)
        note(path, .removed(contents: contents))
    }

    func removeFolder(_ path: String) throws(CheckpointError) {
        try count()
        try system.removeFolder(path)
        note(path, .removed(contents: nil))
    }

    func link(_ path: String, to target: String) throws(CheckpointError) {
        try count()
        try system.link(path, to: target)
        note(path, .made)
    }
}
