import Foundation

/// A run's folder, held by this process alone until it is released.
package final class RunFolder: Sendable {
    package let paths: RunPaths
    /// How often a coordinator has opened this run, this time included; durable before `init`
    /// returns, so that no two ever speak with the same number.
    package let incarnation: UInt32
    /// Drawn when the run was made: by it workers know a run that is resumed.
    package let identity: UInt64
    private let lock: WritableFile
    private let operations: any FileOperations

    /// Makes the folder of a new run, `logs` and `checkpoints` in it.
    /// Throws: `notEmpty` if it holds anything, `locked` if that is a live run's; `io`.
    package static func create(
        _ path: String, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) -> RunFolder {
        let paths = RunPaths(path)
        if exists(paths.folder) { try requireFresh(paths) }
        try operations.makeFolders(paths.folder)
        let lock = try acquire(paths, operations)
        // Another may have made its run here between the look and the lock.
        try requireFresh(paths)
        return try RunFolder(paths, lock, operations)
    }

    /// Takes over the run in the folder and clears away what its dead writers left.
    /// Throws: `noRun`, `locked`, `incarnation`, `io`.
    package static func resume(
        _ path: String, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) -> RunFolder {
        let paths = RunPaths(path)
        guard exists(paths.configuration) else { throw .noRun(path: paths.folder) }
        let lock = try acquire(paths, operations)
        let run = try RunFolder(paths, lock, operations)
        try CheckpointShelf(paths.checkpoints, operations: operations).sweep()
        return run
    }

    private init(
        _ paths: RunPaths, _ lock: WritableFile, _ operations: any FileOperations
    ) throws(CheckpointError) {
        self.paths = paths
        self.lock = lock
        self.operations = operations
        identity = try Self.identify(paths, operations)
        incarnation = try Self.raise(paths, operations)
        try operations.makeFolders(paths.logs)
        try operations.makeFolders(paths.checkpoints)
    }

    /// Saves the resolved configuration, whole or not at all; from then on the run can be resumed.
    /// Throws: `io`.
    package func save(configuration: String) throws(CheckpointError) {
        try operations.replace(paths.configuration, with: Array(configuration.utf8))
    }

    /// Saves by what the run knows its text again, before the configuration. Throws: `io`.
    package func save(fingerprint: [UInt8]) throws(CheckpointError) {
        try operations.replace(paths.fingerprint, with: fingerprint)
    }

    /// Says where the coordinator listens. Throws: `io`.
    package func save(address: String) throws(CheckpointError) {
        try operations.replace(paths.address, with: Array((address + "\n").utf8))
    }

    /// Removes the address, if it is there. Throws: `io`.
    package func removeAddress() throws(CheckpointError) {
        if exists(paths.address) { try operations.remove(paths.address) }
    }

    /// Lets `latest`, beside the run's folder, lead to it. Throws: `io`.
    package func linkAsLatest() throws(CheckpointError) {
        guard let name = paths.folder.split(separator: "/").last else { return }
        let latest = folder(of: paths.folder) + "/latest"
        let temporary = folder(of: paths.folder) + "/.latest.\(getpid())"
        if exists(temporary) { try operations.remove(temporary) }
        try operations.link(temporary, to: String(name))
        do throws(CheckpointError) {
            try operations.rename(temporary, to: latest)
        } catch {
            try? operations.remove(temporary)
            throw error
        }
    }

    /// A folder is fresh when it holds no more than what a start that failed early leaves.
    private static func requireFresh(_ paths: RunPaths) throws(CheckpointError) {
        let early: Set = [
            paths.lock, paths.incarnation, paths.incarnation + ".tmp", paths.logs,
            paths.identity, paths.identity + ".tmp",
            paths.fingerprint, paths.fingerprint + ".tmp",
            paths.checkpoints, paths.configuration + ".tmp",
            paths.coordinatorKey, paths.coordinatorKey + ".tmp", paths.token,
            paths.token + ".tmp",
        ]
        for name in try names(in: paths.folder) {
            let path = paths.folder + "/" + name
            var isFresh = early.contains(path)
            if isFresh && isFolder(path) { isFresh = try names(in: path).isEmpty }
            guard !isFresh else { continue }
            guard isHeld(paths.lock) else { throw .notEmpty(path: paths.folder) }
            throw .locked(path: paths.folder, holder: process(in: paths.lock))
        }
    }

    private static func acquire(
        _ paths: RunPaths, _ operations: any FileOperations
    ) throws(CheckpointError) -> WritableFile {
        let file = try operations.open(paths.lock)
        guard retrying({ flock(file.descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
            guard errno == EWOULDBLOCK else {
                throw .io(path: paths.lock, operation: .lock, code: errno)
            }
            throw .locked(path: paths.folder, holder: process(in: paths.lock))
        }
        try operations.truncate(file, to: 0)
        try operations.writeAll(Array("\(getpid())\n".utf8), to: file, at: 0)
        return file
    }

    /// Whether another holds the lock, found out without making the file.
    private static func isHeld(_ path: String) -> Bool {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return retrying { flock(descriptor, LOCK_SH | LOCK_NB) } != 0 && errno == EWOULDBLOCK
    }

    private static func process(in path: String) -> Int32? {
        guard let file = try? ReadableFile(path), file.size <= 32,
            let bytes = try? file.bytes(0..<file.size)
        else { return nil }
        return Int32(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    private static func identify(
        _ paths: RunPaths, _ operations: any FileOperations
    ) throws(CheckpointError) -> UInt64 {
        // One that cannot be read is drawn anew: workers then take the state from the checkpoint.
        if exists(paths.identity),
            let known = UInt64(try paths.text(paths.identity).prefix { $0 != "\n" }, radix: 16)
        {
            return known
        }
        let fresh = UInt64.random(in: 1...UInt64.max)
        try operations.replace(paths.identity, with: Array("\(String(fresh, radix: 16))\n".utf8))
        return fresh
    }

    private static func raise(
        _ paths: RunPaths, _ operations: any FileOperations
    ) throws(CheckpointError) -> UInt32 {
        var last: UInt32 = 0
        if exists(paths.incarnation) {
            let text = try paths.text(paths.incarnation)
            guard let number = UInt32(text.prefix { $0 != "\n" }), number < .max else {
                throw .incarnation(path: paths.incarnation)
            }
            last = number
        } else if exists(paths.configuration) {
            // The counter is older than the configuration: it has been lost, and with it the rank.
            throw .incarnation(path: paths.incarnation)
        }
        try operations.replace(paths.incarnation, with: Array("\(last + 1)\n".utf8))
        return last + 1
    }
}
