/// Name and shape of a float32 tensor that is to be written.
package struct TensorShape: Equatable, Sendable {
    /// The name of the tensor, unique in a file.
    package let name: String
    /// The extents of the tensor, outermost first.
    package let shape: [Int]

    /// Makes a shape of its parts; no extent is negative.
    package init(name: String, shape: [Int]) {
        self.name = name
        self.shape = shape
    }

    /// The number of elements.
    package var count: Int { shape.reduce(1, *) }
}

/// Writes float32 tensors to a safetensors file as their bytes come, in the order of the entries.
///
/// The data region is the entries end to end. So its SHA-256 is that
/// of the flat vector they lie in.
package final class SafetensorsWriter {
    /// The path of the file.
    package let path: String
    /// The number of bytes of the data region when it is complete.
    package let dataBytes: Int
    /// The number of bytes of the data region so far.
    package private(set) var written = 0
    private let operations: any FileOperations
    private let file: WritableFile
    private let headerBytes: Int
    private let fileHash = SHA256()
    private let dataHash: SHA256?

    /// The sizes and digests that `finish` returns for a complete file.
    package struct Summary: Equatable, Sendable {
        /// The size of the whole file, in bytes.
        package let bytes: Int
        /// The SHA-256 of the whole file, in 64 hexadecimal digits.
        package let digest: String
        /// The SHA-256 of the data region; nil if it was not asked for.
        package let dataDigest: String?
    }

    /// Makes the file, which must not exist, and writes its header. Throws: `io`, `safetensors`.
    package init(
        path: String, entries: [TensorShape], metadata: [String: String] = [:],
        digestsData: Bool = true, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) {
        var tensors: [TensorEntry] = []
        var end = 0
        for entry in entries {
            let (next, overflow) = end.addingReportingOverflow(
                SafetensorsHeader.byteCount(entry.shape, .float32) ?? .max)
            precondition(!overflow, "tensor \(entry.name) of shape \(entry.shape) has no size")
            tensors.append(
                TensorEntry(
                    name: entry.name, dtype: .float32, shape: entry.shape, byteRange: end..<next))
            end = next
        }
        let header: [UInt8]
        do throws(SafetensorsFaultError) {
            header = try SafetensorsHeader.encoded(tensors, metadata: metadata)
        } catch {
            throw .safetensors(path: path, fault: error.fault)
        }
        self.path = path
        self.operations = operations
        dataBytes = end
        headerBytes = header.count
        dataHash = digestsData ? SHA256() : nil
        file = try operations.create(path)
        try operations.writeAll(header, to: file, at: 0)
        header.withUnsafeBytes { fileHash.update($0) }
    }

    /// Appends little-endian float32 values, cut wherever the caller likes.
    /// Throws: `io`; `wrongLength` when they are more than the entries hold.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        guard bytes.count <= dataBytes - written else {
            throw .wrongLength(path: path, expected: dataBytes, found: written + bytes.count)
        }
        try operations.writeAll(bytes, to: file, at: headerBytes + written)
        fileHash.update(bytes)
        dataHash?.update(bytes)
        written += bytes.count
    }

    /// Makes the complete file durable, but for its name. Throws: `io`; `wrongLength` when bytes
    /// are missing.
    package func finish() throws(CheckpointError) -> Summary {
        guard written == dataBytes else {
            throw .wrongLength(path: path, expected: dataBytes, found: written)
        }
        try operations.synchronize(file)
        return Summary(
            bytes: headerBytes + dataBytes, digest: fileHash.finish(),
            dataDigest: dataHash?.finish())
    }
}
