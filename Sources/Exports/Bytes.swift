/// Bytes that grow by little-endian numbers.
struct Bytes {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ more: [UInt8]) { bytes += more }
}
