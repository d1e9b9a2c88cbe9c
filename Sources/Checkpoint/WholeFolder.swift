import Foundation

/// A folder of the user's that is written as a whole or not at all.
///
/// Its files lie in a folder beside it, whose name begins with a dot, until `commit` renames that.
package final class WholeFolder {
    /// The path at which the folder will be found.
    package let path: String
    private let temporary: String
    private let operations: any FileOperations
    private var isOpen = true

    /// Makes the temporary folder, and the folders above it that are missing. An empty folder may
    /// be at `path` already.
    ///
    /// Throws: `folderTaken` where the folder is not empty; `io`, also (EEXIST) for what is no folder.
    package init(
        _ path: String, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) {
        let path = RunPaths(absolutePath(resolvedPath(path) ?? path)).folder
        if isFolder(path) {
            guard try names(in: path).isEmpty else { throw .folderTaken(path: path) }
        } else if exists(path) {
            throw .io(path: path, operation: .makeFolder, code: EEXIST)
        }
        let temporary = "\(folder(of: path))/.\(lastName(of: path)).\(getpid())"
        try operations.makeFolders(folder(of: path))
        // What a killed process of this number has left.
        if exists(temporary) { try operations.removeTree(temporary) }
        try operations.makeFolder(temporary)
        self.path = path
        self.temporary = temporary
        self.operations = operations
    }

    deinit { if isOpen { try? operations.removeTree(temporary) } }

    /// Begins a file of the folder; `name` has no slash. Throws: `io`.
    package func file(_ name: String) throws(CheckpointError) -> FileOfFolder {
        precondition(isOpen && !name.contains("/"), "\(name) in \(path)")
        return FileOfFolder(try operations.create(temporary + "/" + name), operations)
    }

    /// Makes the folder durable and then visible. Throws: `io`; then nothing is at its path.
    package func commit() throws(CheckpointError) {
        precondition(isOpen, "\(path) is there already")
        try operations.synchronizeFolder(temporary)
        do throws(CheckpointError) {
            try operations.rename(temporary, to: path)
        } catch {
            guard case .io(_, _, let code) = error, code == ENOTEMPTY || code == EEXIST else {
                throw error
            }
            throw .folderTaken(path: path)
        }
        isOpen = false
        try operations.synchronizeFolder(folder(of: path))
    }
}

/// A file of a `WholeFolder`, written from its beginning to its end.
package final class FileOfFolder {
    /// The number of bytes so far.
    package private(set) var bytes = 0
    private let file: WritableFile
    private let operations: any FileOperations
    private let hash = SHA256()

    init(_ file: WritableFile, _ operations: any FileOperations) {
        self.file = file
        self.operations = operations
    }

    /// Appends bytes. Throws: `io`.
    package func append(_ piece: UnsafeRawBufferPointer) throws(CheckpointError) {
        try operations.writeAll(piece, to: file, at: bytes)
        hash.update(piece)
        bytes += piece.count
    }

    /// Makes the file durable; returns its SHA-256 in 64 hexadecimal digits. Throws: `io`.
    package func finish() throws(CheckpointError) -> String {
        try operations.synchronize(file)
        return hash.finish()
    }
}
