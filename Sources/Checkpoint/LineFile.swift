import Foundation

/// A text file that only ever grows by whole lines.
final class LineFile {
    let path: String
    /// The offset at which the next line begins, in bytes.
    private(set) var end: Int
    private let file: WritableFile
    private let operations: any FileOperations
    /// The lines are to be synchronized at times, and kept until then.
    private let isDurable: Bool
    private var isTorn = false
    /// The bytes written since the file was last synchronized.
    private var unsynchronized: [UInt8] = []
    /// Whether a synchronization has failed: the system may have dropped what it was to write.
    private var mustRewrite = false

    /// Opens the file, made when it is missing, and cuts what follows `end`, the end of its last
    /// whole line. Throws: `io`.
    ///
    /// - Parameter isDurable: false for a file that nobody synchronizes.
    init(
        _ path: String, end: Int, operations: any FileOperations, isDurable: Bool = true
    ) throws(CheckpointError) {
        let isNew = !exists(path)
        file = try operations.open(path)
        if isNew { try operations.synchronizeFolder(folder(of: path)) }
        let size = isNew ? 0 : try ReadableFile(path).size
        if size > end { try operations.truncate(file, to: end) }
        self.path = path
        self.end = end
        self.operations = operations
        self.isDurable = isDurable
    }

    /// Writes a line, which brings its own newline, whole or not at all, and makes it durable if
    /// asked. A file that has lost its name takes none. Throws: `io`; then the file is as before.
    /// Where even cutting failed, nothing more is written until cutting succeeds.
    func append(_ line: [UInt8], synchronizing: Bool = false) throws(CheckpointError) {
        guard !operations.isRemoved(file) else {
            throw .io(path: path, operation: .write, code: ENOENT)
        }
        if isTorn { try cut() }
        do throws(CheckpointError) {
            try operations.writeAll(line, to: file, at: end)
            if synchronizing { try synchronize() }
        } catch {
            isTorn = true
            try? cut()
            throw error
        }
        end += line.count
        if isDurable, !synchronizing { unsynchronized += line }
    }

    /// Makes all lines durable. Throws: `io`.
    ///
    /// After a failure the system takes the lost pages for clean (Rebello et al., "Can Applications
    /// Recover from fsync Failures?", USENIX ATC 2020): the lines are written once more.
    func synchronize() throws(CheckpointError) {
        do throws(CheckpointError) {
            if mustRewrite {
                try operations.writeAll(
                    unsynchronized, to: file, at: end - unsynchronized.count)
            }
            try operations.synchronize(file)
        } catch {
            mustRewrite = true
            throw error
        }
        mustRewrite = false
        unsynchronized = []
    }

    private func cut() throws(CheckpointError) {
        try operations.truncate(file, to: end)
        isTorn = false
    }
}
