import Foundation

/// A file open for reading at any position, closed when released.
///
/// Nothing is mapped into memory: a file cut short under a map would end the process.
package final class ReadableFile: Sendable {
    /// The path by which the file was opened.
    package let path: String
    /// The size in bytes, when the file was opened.
    package let size: Int
    /// The type and the permissions of the file.
    let mode: mode_t
    private let descriptor: Int32

    /// Opens a file. Throws: `io`, also (EISDIR, EINVAL) for one that is not regular.
    package init(_ path: String) throws(CheckpointError) {
        // O_NONBLOCK: opening a named pipe must not wait for its writer.
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw .io(path: path, operation: .open, code: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            _ = close(descriptor)
            throw .io(path: path, operation: .status, code: code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            _ = close(descriptor)
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw .io(path: path, operation: .open, code: isFolder ? EISDIR : EINVAL)
        }
        self.path = path
        self.size = Int(status.st_size)
        mode = status.st_mode
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// Fills `buffer` from `offset` on. Throws: `io`, `cutShort`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int)
        throws(CheckpointError)
    {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = retrying {
                pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            }
            guard count >= 0 else { throw .io(path: path, operation: .read, code: errno) }
            guard count > 0 else {
                throw .cutShort(path: path, expected: offset + buffer.count, found: offset + done)
            }
            done += count
        }
    }

    /// Returns the bytes of `range`. Throws: `io`, `cutShort`.
    package func bytes(_ range: Range<Int>) throws(CheckpointError) -> [UInt8] {
        guard range.upperBound <= size else {
            throw .cutShort(path: path, expected: range.upperBound, found: size)
        }
        return try array(of: UInt8.self, range)
    }

    /// Returns the bytes of `range` as an array of a trivial type in the machine's (little-endian)
    /// order. Throws: `io`, `cutShort`.
    func array<Element: BitwiseCopyable>(
        of: Element.Type, _ range: Range<Int>
    ) throws(CheckpointError) -> [Element] {
        let count = range.count / MemoryLayout<Element>.stride
        precondition(
            count * MemoryLayout<Element>.stride == range.count,
            "\(range.count) bytes are no whole number of elements")
        var failure: CheckpointError?
        let result = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(CheckpointError) {
                try read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result
    }

    /// Hands the bytes of `range` to `body` in order, in pieces of at most `chunk` bytes. Throws:
    /// `io`, `cutShort`, and what `body` throws.
    package func stream(
        _ range: Range<Int>, chunk: Int = 1 << 20,
        _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        precondition(chunk > 0, "chunk \(chunk)")
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, min(chunk, range.count)), alignment: 64)
        defer { buffer.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<min(chunk, range.upperBound - offset)])
            try read(into: piece, at: offset)
            try body(UnsafeRawBufferPointer(piece))
            offset += piece.count
        }
    }
}

/// Calls again for as long as a signal interrupts, and returns what the last call did.
func retrying<Value: SignedInteger>(_ call: () -> Value) -> Value {
    while true {
        let value = call()
        if value != -1 || errno != EINTR { return value }
    }
}
