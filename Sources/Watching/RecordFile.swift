import Checkpoint
import Glibc

/// A file of records of equal length, in the machine's order of bytes.
final class RecordFile {
    let path: String
    let length: Int
    private(set) var count: Int
    private let descriptor: Int32

    /// Opens the file, made when it is missing, with its first `count` records; nil where it has fewer,
    /// or cannot be opened.
    init?(_ path: String, length: Int, count: Int) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { return nil }
        self.path = path
        self.length = length
        self.count = count
        var status = stat()
        guard fstat(descriptor, &status) == 0, Int(status.st_size) >= count * length,
            ftruncate(descriptor, off_t(count * length)) == 0
        else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }

    /// Writes records at the end. Returns whether they are all there.
    func append<Value: BitwiseCopyable>(_ values: [Value]) -> Bool {
        values.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let written = pwrite(
                    descriptor, bytes.baseAddress! + done, bytes.count - done,
                    off_t(count * length + done))
                guard written > 0 else { return false }
                done += written
            }
            count += bytes.count / length
            return true
        }
    }

    /// The records of `range`, as far as there are any.
    func read<Value: BitwiseCopyable>(_ range: Range<Int>, as: Value.Type) -> [Value] {
        let range = range.clamped(to: 0..<count)
        let size = range.count * length
        return [Value](unsafeUninitializedCapacity: size / MemoryLayout<Value>.stride) {
            buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            var done = 0
            while done < size {
                let got = pread(
                    descriptor, bytes.baseAddress! + done, size - done,
                    off_t(range.lowerBound * length + done))
                guard got > 0 else { break }
                done += got
            }
            initialized = done / MemoryLayout<Value>.stride
        }
    }
}
