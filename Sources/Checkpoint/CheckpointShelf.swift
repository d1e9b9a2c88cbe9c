/// The `checkpoints` folder of a run, with all its checkpoints.
package struct CheckpointShelf: Sendable {
    /// The path of that folder; it need not exist.
    package let path: String
    private let operations: any FileOperations

    /// Makes a shelf of the folder at `path`; nothing is read yet.
    package init(_ path: String, operations: any FileOperations = SystemFileOperations()) {
        self.path = path
        self.operations = operations
    }

    /// A checkpoint that is not what its manifest promises, and why.
    package struct Rejected: Equatable, Sendable {
        /// The path of the checkpoint's folder.
        package let path: String
        /// The error with which opening it failed.
        package let reason: CheckpointError
    }

    /// Returns the folders with a checkpoint's name, newest first;
    /// they may be damaged. Throws: `io`.
    package func candidates() throws(CheckpointError) -> [(step: Int, path: String)] {
        guard exists(path) else { return [] }
        var found: [(step: Int, path: String, retired: Int)] = []
        for name in try names(in: path) {
            switch CheckpointName(name) {
            case .whole(let step)?: found.append((step, path + "/" + name, 0))
            case .retired(let step)?: found.append((step, path + "/" + name, 1))
            case .temporary?, nil: break
            }
        }
        found.sort { ($0.step, -$0.retired) > ($1.step, -$1.retired) }
        return found.map { ($0.step, $0.path) }
    }

    /// Returns the newest checkpoint whose bytes are all as they were written, and the newer
    /// ones that are not. A run may go on meanwhile: a checkpoint that it has replaced or
    /// pruned is looked for anew. Throws: `io` when the folder cannot be listed; `newer` when
    /// the newest is of another format.
    package func newestWhole() throws(CheckpointError)
        -> (checkpoint: CheckpointFolder?, rejected: [Rejected])
    {
        while true {
            let listed = try candidates().map(\.path)
            let found = try Self.newestWhole(among: listed)
            if found.rejected.isEmpty && found.checkpoint != nil { return found }
            if listed == (try candidates().map(\.path)) { return found }
        }
    }

    private static func newestWhole(
        among paths: [String]
    ) throws(CheckpointError) -> (checkpoint: CheckpointFolder?, rejected: [Rejected]) {
        var rejected: [Rejected] = []
        for path in paths {
            do throws(CheckpointError) {
                return (try CheckpointFolder(path), rejected)
            } catch {
                // Nothing is wrong with it: a run that passed it over would do its steps again.
                if case .newer = error { throw error }
                rejected.append(Rejected(path: path, reason: error))
            }
        }
        return (nil, rejected)
    }

    /// Removes the oldest checkpoints but for `keep` of them (0: removes none). `newest` is the
    /// step of one just committed: it stays and counts as one. Any of a later step is not counted
    /// and not touched. It may be a damaged one that the run has gone back behind. Throws: `io`.
    package func prune(keep: Int, newest: Int) throws(CheckpointError) {
        guard keep > 0 else { return }
        let older = try candidates().filter { $0.step < newest }
        for (step, path) in older.dropFirst(keep - 1) { try discard(step, path) }
    }

    /// Removes the files that dead writers left and finishes what they had begun. Only the holder
    /// of the run's lock may call it. Throws: `io`.
    package func sweep() throws(CheckpointError) {
        guard exists(path) else { return }
        for name in try names(in: path) {
            let entry = path + "/" + name
            switch CheckpointName(name) {
            case .temporary?: try operations.removeTree(entry)
            case .retired(let step)?: try settle(step, retired: entry)
            case .whole?, nil: break
            }
        }
    }

    /// Keeps one of two folders of a step: its own if that is whole,
    /// else the one it was to replace.
    private func settle(_ step: Int, retired: String) throws(CheckpointError) {
        let own = path + "/" + CheckpointName.whole(step)
        if (try? CheckpointFolder(own)) != nil { return try discard(step, retired) }
        if exists(own) { try discard(step, own) }
        try operations.rename(retired, to: own)
        try operations.synchronizeFolder(path)
    }

    /// Takes the name away first, so that a half-removed folder is never taken for a damaged one.
    private func discard(_ step: Int, _ entry: String) throws(CheckpointError) {
        let temporary = path + "/" + CheckpointName.temporary(step, in: path)
        try operations.rename(entry, to: temporary)
        try operations.removeTree(temporary)
    }
}
