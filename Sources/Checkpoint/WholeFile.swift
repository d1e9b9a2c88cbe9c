import Foundation

/// A file of the user's that is written as a whole or not at all.
package enum WholeFile {
    /// Puts `text` under `path`, behind a link where there is one; what is no regular file, such as a
    /// pipe, is written to as it is. Throws: `io`; then an older file is still there.
    package static func write(_ text: String, to path: String) throws(CheckpointError) {
        let operations = SystemFileOperations()
        let bytes = Array(text.utf8)
        let path = resolvedPath(path) ?? path
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            guard status.st_mode & S_IFMT != S_IFDIR else {
                throw .io(path: path, operation: .write, code: EISDIR)
            }
            return try pour(bytes, into: path)
        }
        let temporary = "\(folder(of: path))/.\(lastName(of: path)).\(getpid())"
        do throws(CheckpointError) {
            try operations.createWhole(temporary, bytes)
            try operations.rename(temporary, to: path)
        } catch {
            unlink(temporary)
            // The user knows the file by its own name.
            if case .io(_, let operation, let code) = error {
                throw .io(path: path, operation: operation, code: code)
            }
            throw error
        }
    }

    /// Removes a file, if there is one. Throws: `io`.
    package static func remove(_ path: String) throws(CheckpointError) {
        guard exists(path) else { return }
        try SystemFileOperations().remove(path)
    }

    /// Positions mean nothing in a pipe.
    private static func pour(_ bytes: [UInt8], into path: String) throws(CheckpointError) {
        let descriptor = retrying { open(path, O_WRONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .io(path: path, operation: .open, code: errno) }
        defer { _ = close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = retrying {
                rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            }
            guard count > 0 else { throw .io(path: path, operation: .write, code: errno) }
            rest = rest.dropFirst(count)
        }
    }
}

/// Makes a folder and those above it that are missing. Throws: `io`.
package func makeFolders(_ path: String) throws(CheckpointError) {
    try SystemFileOperations().makeFolders(path)
}
