import Foundation

/// A file open for writing, closed when released.
package final class WritableFile: Sendable {
    /// The path by which the file was opened.
    package let path: String
    let descriptor: Int32

    /// Takes over an open descriptor, and closes it in the end.
    package init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }
}

/// Every system call by which this module changes a file system, one method a call.
///
/// A test puts its own in place: it records them, fails them, or stops the world between two.
package protocol FileOperations: Sendable {
    func makeFolder(_ path: String) throws(CheckpointError)
    /// A new file; one that exists is an error.
    func create(_ path: String) throws(CheckpointError) -> WritableFile
    /// The file as it is, made when it is missing.
    func open(_ path: String) throws(CheckpointError) -> WritableFile
    /// One call: returns how many bytes it took, which may be fewer than were given.
    func write(_ bytes: UnsafeRawBufferPointer, to file: WritableFile, at offset: Int)
        throws(CheckpointError) -> Int
    func truncate(_ file: WritableFile, to size: Int) throws(CheckpointError)
    func synchronize(_ file: WritableFile) throws(CheckpointError)
    /// Makes the names in a folder durable.
    func synchronizeFolder(_ path: String) throws(CheckpointError)
    func rename(_ path: String, to other: String) throws(CheckpointError)
    func remove(_ path: String) throws(CheckpointError)
    func removeFolder(_ path: String) throws(CheckpointError)
    /// A symbolic link at `path`.
    func link(_ path: String, to target: String) throws(CheckpointError)
}

extension FileOperations {
    /// Whether no name leads to the file any more: its bytes are lost when it is closed.
    func isRemoved(_ file: WritableFile) -> Bool {
        var status = stat()
        return fstat(file.descriptor, &status) == 0 && status.st_nlink == 0
    }

    /// Writes all bytes. Throws: `io`; then some of them may be in the file.
    func writeAll(_ bytes: UnsafeRawBufferPointer, to file: WritableFile, at offset: Int)
        throws(CheckpointError)
    {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try write(rest, to: file, at: offset + done)
            guard count > 0 else { throw .io(path: file.path, operation: .write, code: ENOSPC) }
            done += count
        }
    }

    /// Writes all bytes. Throws: `io`; then some of them may be in the file.
    func writeAll(_ bytes: [UInt8], to file: WritableFile, at offset: Int)
        throws(CheckpointError)
    {
        var failure: CheckpointError?
        bytes.withUnsafeBytes { buffer in
            do throws(CheckpointError) {
                try writeAll(buffer, to: file, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// A new file with these bytes, durable but for its name. Throws: `io`.
    func createWhole(_ path: String, _ bytes: [UInt8]) throws(CheckpointError) {
        let file = try create(path)
        try writeAll(bytes, to: file, at: 0)
        try synchronize(file)
    }

    /// Puts `bytes` under `path`. A reader sees the old file or the new one, whole, after a power
    /// loss too. Throws: `io`; then the old file is still there.
    func replace(_ path: String, with bytes: [UInt8]) throws(CheckpointError) {
        let temporary = path + ".tmp"
        if exists(temporary) { try remove(temporary) }
        do throws(CheckpointError) {
            try createWhole(temporary, bytes)
            try rename(temporary, to: path)
        } catch {
            try? remove(temporary)
            throw error
        }
        try synchronizeFolder(folder(of: path))
    }

    /// Removes a folder of files and all that is in it. Throws: `io`.
    func removeTree(_ path: String) throws(CheckpointError) {
        for name in try names(in: path) {
            let entry = path + "/" + name
            if isFolder(entry, followingLinks: false) {
                try removeTree(entry)
            } else {
                try remove(entry)
            }
        }
        try removeFolder(path)
    }

    /// Makes a folder and those above it that are missing; their names are durable. Throws: `io`.
    func makeFolders(_ path: String) throws(CheckpointError) {
        if isFolder(path) { return }
        let parent = folder(of: path)
        try makeFolders(parent)
        do throws(CheckpointError) {
            try makeFolder(path)
        } catch {
            // Another process may have made it in between.
            guard isFolder(path) else { throw error }
        }
        try synchronizeFolder(parent)
    }
}

/// The operating system's calls, repeated when a signal interrupts
/// them. Each throws `io` with errno.
package struct SystemFileOperations: FileOperations {
    /// Makes operations; they hold nothing.
    package init() {}

    /// Makes a folder in one that exists: `mkdir`.
    package func makeFolder(_ path: String) throws(CheckpointError) {
        try check(mkdir(path, 0o777), path, .makeFolder)
    }

    /// Makes a new file and opens it; one that exists is an error.
    package func create(_ path: String) throws(CheckpointError) -> WritableFile {
        try open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
    }

    /// Opens a file as it is, made when it is missing.
    package func open(_ path: String) throws(CheckpointError) -> WritableFile {
        try open(path, O_RDWR | O_CREAT | O_CLOEXEC)
    }

    private func open(_ path: String, _ flags: Int32) throws(CheckpointError) -> WritableFile {
        let descriptor = retrying { Foundation.open(path, flags, 0o666) }
        try check(descriptor, path, .open)
        return WritableFile(path: path, descriptor: descriptor)
    }

    /// Writes bytes at an offset: `pwrite`. Returns the number written, possibly fewer.
    package func write(_ bytes: UnsafeRawBufferPointer, to file: WritableFile, at offset: Int)
        throws(CheckpointError) -> Int
    {
        let count = retrying {
            pwrite(file.descriptor, bytes.baseAddress, bytes.count, off_t(offset))
        }
        guard count >= 0 else { throw .io(path: file.path, operation: .write, code: errno) }
        return count
    }

    /// Cuts or extends a file to `size` bytes: `ftruncate`.
    package func truncate(_ file: WritableFile, to size: Int) throws(CheckpointError) {
        try check(retrying { ftruncate(file.descriptor, off_t(size)) }, file.path, .truncate)
    }

    /// Makes a file's bytes durable: `fsync`.
    package func synchronize(_ file: WritableFile) throws(CheckpointError) {
        try check(retrying { fsync(file.descriptor) }, file.path, .synchronize)
    }

    /// Makes the names in a folder durable: `fsync` of the folder.
    package func synchronizeFolder(_ path: String) throws(CheckpointError) {
        try synchronize(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    }

    /// Gives a file or folder another name, in place of a file that bears it.
    package func rename(_ path: String, to other: String) throws(CheckpointError) {
        try check(Foundation.rename(path, other), path, .rename)
    }

    /// Removes the name of a file: `unlink`.
    package func remove(_ path: String) throws(CheckpointError) {
        try check(unlink(path), path, .remove)
    }

    /// Removes an empty folder: `rmdir`.
    package func removeFolder(_ path: String) throws(CheckpointError) {
        try check(rmdir(path), path, .remove)
    }

    /// Makes a symbolic link at `path` that leads to `target`.
    package func link(_ path: String, to target: String) throws(CheckpointError) {
        try check(symlink(target, path), path, .link)
    }

    private func check(
        _ status: Int32, _ path: String, _ operation: CheckpointError.SystemCall
    ) throws(CheckpointError) {
        guard status >= 0 else { throw .io(path: path, operation: operation, code: errno) }
    }
}
