import CResources

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A flat vector of float32 at a fixed address, aligned to 64 bytes.
///
/// All parameters, a gradient, a moment or a total lie in one of these. Any thread may read or
/// write through it. Its owner says which thread may write which range when, as with raw memory.
package final class ParameterVector: @unchecked Sendable {
    /// The number of elements.
    package let count: Int
    private let base: UnsafeMutablePointer<Float>
    private let release: () -> Void

    /// Makes a vector of zeros. Its pages cost no memory until they are written.
    /// Where the system refuses even addresses the process ends, as for any other
    /// memory: ask `requireMemory` before.
    package init(count: Int) {
        precondition(count >= 0, "count \(count)")
        let length = max(count, 1) * MemoryLayout<Float>.stride
        guard
            let memory = mmap(
                nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            memory != MAP_FAILED
        else { dtrain_end_without_memory(length) }
        self.count = count
        #if os(Linux)
            // An update walks four vectors at once: with pages of 4 KiB it waits for the TLB.
            if length >= 4 << 20 { madvise(memory, length, MADV_HUGEPAGE) }
        #endif
        self.base = memory.bindMemory(to: Float.self, capacity: count)
        self.release = { munmap(memory, length) }
    }

    /// Makes a vector over memory that somebody else provides, such as a mapped file.
    ///
    /// `release` is called once, when nobody holds the vector any more. The memory must hold
    /// `count` floats, be aligned to 64 bytes and stay in place until then.
    package init(
        memory: UnsafeMutablePointer<Float>, count: Int, release: @escaping @Sendable () -> Void
    ) {
        precondition(UInt(bitPattern: memory) % 64 == 0, "\(memory) is not aligned to 64 bytes")
        self.count = count
        self.base = memory
        self.release = release
    }

    deinit { release() }

    /// The address of element 0, for kernels that run while somebody holds the vector.
    package var unsafeAddress: UnsafeMutablePointer<Float> { base }

    /// The number of bytes of all elements.
    package var byteCount: Int { count * MemoryLayout<Float>.stride }

    /// The element at an index, from 0.
    package subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "element \(index) of \(count)")
            return base[index]
        }
        set {
            precondition(index >= 0 && index < count, "element \(index) of \(count)")
            base[index] = newValue
        }
    }

    // MARK: Access to ranges

    /// Hands the bytes of `range` (in elements) to `body` as they lie in
    /// memory. Throws what `body` throws.
    package func withBytes<R, E: Error>(
        _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try withFloats(range) { floats throws(E) in
            try body(UnsafeRawBufferPointer(floats))
        }
    }

    /// Hands the elements of `range` to `body`. Throws what `body` throws.
    package func withFloats<R, E: Error>(
        _ range: Range<Int>, _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        check(range)
        return try withExtendedLifetime(self) { () throws(E) in
            try body(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
        }
    }

    /// Hands all elements to `body`. Throws what `body` throws.
    package func withFloats<R, E: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        try withFloats(0..<count, body)
    }

    /// Hands the elements of `range` to `body`, which may change them. Throws what `body` throws.
    package func withMutableFloats<R, E: Error>(
        _ range: Range<Int>, _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        check(range)
        return try withExtendedLifetime(self) { () throws(E) in
            try body(UnsafeMutableBufferPointer(start: base + range.lowerBound, count: range.count))
        }
    }

    /// Hands all elements to `body`, which may change them. Throws what `body` throws.
    package func withMutableFloats<R, E: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        try withMutableFloats(0..<count, body)
    }

    /// Returns a copy of `range`, of all elements if none is given.
    package func floats(_ range: Range<Int>? = nil) -> [Float] {
        withFloats(range ?? 0..<count) { Array($0) }
    }

    // MARK: Writing whole ranges

    /// Sets every element of `range`, of all if none is given.
    package func fill(_ value: Float, in range: Range<Int>? = nil) {
        withMutableFloats(range ?? 0..<count) { $0.update(repeating: value) }
    }

    /// Copies every element of a vector of equal count.
    package func copy(from other: ParameterVector) {
        precondition(other.count == count, "\(other.count) elements into \(count)")
        copy(0..<count, from: other)
    }

    /// Copies `range` from the same place of a vector of equal count.
    package func copy(_ range: Range<Int>, from other: ParameterVector) {
        precondition(other.count == count, "\(other.count) elements beside \(count)")
        other.withBytes(range) { store(bytes: $0, at: range.lowerBound) }
    }

    /// Copies little-endian float32 of any alignment to the elements from `element` on.
    package func store(bytes: UnsafeRawBufferPointer, at element: Int) {
        let stride = MemoryLayout<Float>.stride
        precondition(bytes.count % stride == 0, "\(bytes.count) bytes are no floats")
        withMutableFloats(element..<element + bytes.count / stride) { floats in
            UnsafeMutableRawBufferPointer(floats).copyMemory(from: bytes)
        }
    }

    /// Copies floats to the elements from `element` on.
    package func store(_ floats: [Float], at element: Int) {
        floats.withUnsafeBytes { store(bytes: $0, at: element) }
    }

    private func check(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
    }
}
