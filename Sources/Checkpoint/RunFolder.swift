import Foundation

/// A run's folder, held by this process alone until it is released.
package final class RunFolder: Sendable {
    /// The names in the folder, by a path without links.
    package let paths: RunPaths
    /// The number of times that a coordinator has opened this run, this time included. It is
    /// durable before `init` returns, so that no two ever speak with the same number.
    package let incarnation: UInt32
    /// A random number drawn when the run was made: by it workers know a run that is resumed.
    package let identity: UInt64
    /// The repairs that were made when the run was taken over.
    package let repairs: [Repair]
    private let lock: WritableFile
    private let operations: any FileOperations

    /// Makes the folder of a new run, `logs` and `checkpoints` in it.
    /// Throws: `notEmpty` if it holds anything, `locked` if that is a live run's; `io`.
    package static func create(
        _ path: String, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) -> RunFolder {
        if exists(path) { try requireFresh(RunPaths(path)) }
        try operations.makeFolders(path)
        return try begin(in: path, operations)
    }

    /// Makes the folder of a new run under the name `path`. Where that is taken it puts `-2`, `-3`,
    /// … behind it: no two that are made at once get the same. Throws: `io`.
    package static func createNext(
        to path: String, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) -> RunFolder {
        try operations.makeFolders(Checkpoint.folder(of: path))
        var number = 1
        while true {
            let name = number == 1 ? path : "\(path)-\(number)"
            do throws(CheckpointError) {
                try operations.makeFolder(name)
            } catch .io(_, .makeFolder, code: EEXIST) {
                number += 1
                continue
            }
            return try begin(in: name, operations)
        }
    }

    private static func begin(
        in path: String, _ operations: any FileOperations
    ) throws(CheckpointError) -> RunFolder {
        let paths = settled(path)
        let lock = try acquire(paths, operations)
        // Another may have made its run here between the look and the lock.
        try requireFresh(paths)
        return try RunFolder(paths, lock, operations)
    }

    /// Takes over the run in the folder. Puts its files in order as `recovery` says, and
    /// clears away what dead writers left.
    ///
    /// `hasLostSettings`: the run has no whole `configuration.yaml`, and settings from elsewhere.
    /// Throws: `noRun`, `locked`, `changed`, `incarnation`, `newer`, `io`.
    package static func resume(
        _ path: String, recovery: RunRecovery? = nil, hasLostSettings: Bool = false,
        operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) -> RunFolder {
        let paths = settled(path)
        guard hasLostSettings || exists(paths.configuration) else {
            throw .noRun(path: paths.folder)
        }
        let lock = try acquire(paths, operations)
        let recovery = if let recovery { recovery } else { try RunRecovery.find(in: paths) }
        try recovery.apply(paths, operations)
        let run = try RunFolder(paths, lock, operations, following: recovery)
        try CheckpointShelf(paths.checkpoints, operations: operations).sweep()
        return run
    }

    /// The names in the folder by a path without links: a link such as `latest` may lead elsewhere
    /// before the run is over.
    private static func settled(_ path: String) -> RunPaths {
        RunPaths(resolvedPath(path) ?? path)
    }

    /// `recovery`: of a run that is resumed.
    private init(
        _ paths: RunPaths, _ lock: WritableFile, _ operations: any FileOperations,
        following recovery: RunRecovery? = nil
    ) throws(CheckpointError) {
        self.paths = paths
        self.lock = lock
        self.operations = operations
        let rank = try RunRank.take(paths, operations, following: recovery)
        identity = rank.identity
        incarnation = rank.incarnation
        repairs = (recovery?.repairs ?? []) + rank.repairs
        try operations.makeFolders(paths.logs)
        try operations.makeFolders(paths.checkpoints)
    }

    /// Saves the resolved configuration, whole or not at all; from then on the run can be resumed.
    /// `writer` is this program's name and version. Throws: `io`.
    package func save(configuration: String, writer: String) throws(CheckpointError) {
        let text = SettingsFile.text(configuration, writer: writer)
        try operations.replace(paths.configuration, with: Array(text.utf8))
    }

    /// Saves the fingerprint by which the run knows its text again, before
    /// the configuration. Throws: `io`.
    package func save(fingerprint: [UInt8]) throws(CheckpointError) {
        try operations.replace(paths.fingerprint, with: fingerprint)
    }

    /// Saves the address at which the coordinator listens. Throws: `io`.
    package func save(address: String) throws(CheckpointError) {
        try operations.replace(paths.address, with: Array((address + "\n").utf8))
    }

    /// Removes the address, if it is there. Throws: `io`.
    package func removeAddress() throws(CheckpointError) {
        if exists(paths.address) { try operations.remove(paths.address) }
    }

    /// The name, beside a run's folder, of the link that leads to the newest run.
    package static let latest = "latest"

    /// Lets `latest`, beside the run's folder, lead to it; `path` is the user's name of the folder.
    ///
    /// A run that was named by that link, or whose folder bears the name itself, leaves all as it is.
    /// Throws: `io`; `latestTaken` where something that is no link bears the name.
    package func linkAsLatest(path: String) throws(CheckpointError) {
        let given = RunPaths(path).folder
        let isPlain = ![".", "..", "/"].contains(lastName(of: given))
        let called = isPlain ? given : paths.folder
        let name = lastName(of: called)
        guard name != Self.latest, lastName(of: paths.folder) != Self.latest else { return }
        let parent = folder(of: called)
        let latest = parent + "/" + Self.latest
        guard !exists(latest) || linkTarget(latest) != nil else {
            throw .latestTaken(path: latest)
        }
        let temporary = parent + "/.latest.\(getpid())"
        if exists(temporary) { try operations.remove(temporary) }
        try operations.link(temporary, to: name)
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
}
