import Foundation

/// Small files that nobody but their owner may read: keys and tokens.
package enum PrivateFile {
    private static let limit = 4096

    /// Puts `text` under `path` with mode 0600; who reads sees the old file or the new one, whole.
    /// Throws: `io`; then the old file is still there.
    package static func write(_ text: String, to path: String) throws(CheckpointError) {
        let temporary = path + ".tmp"
        unlink(temporary)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = retrying { open(temporary, flags, 0o600) }
        guard descriptor >= 0 else {
            throw .io(path: temporary, operation: .open, code: errno)
        }
        let operations = SystemFileOperations()
        do throws(CheckpointError) {
            let file = WritableFile(path: temporary, descriptor: descriptor)
            // The mode at birth is cut by the umask, and must not be.
            guard fchmod(descriptor, 0o600) == 0 else {
                throw .io(path: temporary, operation: .open, code: errno)
            }
            try operations.writeAll(Array((text + "\n").utf8), to: file, at: 0)
            try operations.synchronize(file)
            try operations.rename(temporary, to: path)
            try operations.synchronizeFolder(folder(of: path))
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// The text of a file that others cannot read. Throws: `io`, `exposed`.
    package static func read(_ path: String) throws(CheckpointError) -> String {
        let file = try ReadableFile(path)
        guard file.mode & 0o007 == 0 else { throw .exposed(path: path) }
        let bytes = try file.bytes(0..<min(file.size, limit))
        return String(decoding: bytes, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
