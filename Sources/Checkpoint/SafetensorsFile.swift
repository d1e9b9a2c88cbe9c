/// A safetensors file open for reading: names, types, shapes, and their bytes when asked for.
///
/// Every length and offset comes from the file and is checked before use.
package final class SafetensorsFile: Sendable {
    /// The path by which the file was opened.
    package let path: String
    /// The entries of the header, sorted by offset.
    package let tensors: [TensorEntry]
    /// The texts under `__metadata__`; empty where there are none.
    package let metadata: [String: String]
    /// The bytes after the header: all tensors, end to end.
    package let dataRegion: Range<Int>
    private let file: ReadableFile
    private let positions: [String: Int]

    /// Reads and checks the header. Throws: `io`, `safetensors`, `cutShort`.
    package init(_ path: String) throws(CheckpointError) {
        let file = try ReadableFile(path)
        guard file.size >= 8 else {
            throw .cutShort(path: path, expected: 8, found: file.size)
        }
        let length = UInt64(littleEndian: try file.array(of: UInt64.self, 0..<8)[0])
        guard length <= UInt64(SafetensorsHeader.longest) else {
            throw .safetensors(path: path, fault: .headerLength(length))
        }
        let start = 8 + Int(length)
        guard start <= file.size else {
            throw .cutShort(path: path, expected: start, found: file.size)
        }
        let json = try file.bytes(8..<start)
        let header: SafetensorsHeader
        do throws(SafetensorsFaultError) {
            header = try SafetensorsHeader(json: json, dataBytes: file.size - start)
        } catch {
            throw .safetensors(path: path, fault: error.fault)
        }
        self.path = path
        self.file = file
        tensors = header.tensors
        metadata = header.metadata
        dataRegion = start..<file.size
        positions = Dictionary(
            header.tensors.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Returns the entry of that name, or nil.
    package subscript(name: String) -> TensorEntry? { positions[name].map { tensors[$0] } }

    /// Returns the values of a float32 tensor, row by row. Throws: `noTensor`, `tensorType`, `io`.
    package func floats(_ name: String) throws(CheckpointError) -> [Float] {
        try array(name, .float32)
    }

    /// Returns the values of an int64 tensor, row by row. Throws: `noTensor`, `tensorType`, `io`.
    package func int64s(_ name: String) throws(CheckpointError) -> [Int64] {
        try array(name, .int64)
    }

    /// Hands the bytes of a tensor of any type to `body`. Throws:
    /// `noTensor`, `io`, and what `body` throws.
    package func withBytes<Result>(
        _ name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        let range = absolute(try entry(name).byteRange)
        return try file.bytes(range).withUnsafeBytes(body)
    }

    /// Hands `range` of the data region (all of it: nil) to `body` in order, piece by piece, each
    /// with its offset in the data region. Throws: `io`, `cutShort`, and what `body` throws.
    package func stream(
        _ range: Range<Int>? = nil, chunk: Int = 1 << 20,
        _ body: (_ offset: Int, UnsafeRawBufferPointer) throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        let range = range ?? 0..<dataRegion.count
        precondition(
            range.lowerBound >= 0 && range.upperBound <= dataRegion.count,
            "range \(range) of \(dataRegion.count) bytes")
        var offset = range.lowerBound
        try file.stream(absolute(range), chunk: chunk) { (bytes) throws(CheckpointError) in
            try body(offset, bytes)
            offset += bytes.count
        }
    }

    private func array<Element: BitwiseCopyable>(
        _ name: String, _ type: TensorType
    ) throws(CheckpointError) -> [Element] {
        let entry = try entry(name)
        guard entry.dtype == type else {
            throw .tensorType(path: path, name: name, found: entry.dtype)
        }
        return try file.array(of: Element.self, absolute(entry.byteRange))
    }

    private func entry(_ name: String) throws(CheckpointError) -> TensorEntry {
        guard let entry = self[name] else { throw .noTensor(path: path, name: name) }
        return entry
    }

    private func absolute(_ range: Range<Int>) -> Range<Int> {
        dataRegion.lowerBound + range.lowerBound..<dataRegion.lowerBound + range.upperBound
    }
}
