import Parameters

/// Adds the gradients of a worker's own shards to a chunk, in shard order.
///
/// out = ((base + g₀) + g₁) + …, or (g₀ + g₁) + … without a base: never 0 + g₀, which would turn
/// −0 into +0. Sums of float32 in this order, so the bits do not depend on who adds.
package struct ChunkSum {
    package let gradients: [ParameterVector]

    package init(_ gradients: [ParameterVector]) {
        precondition(!gradients.isEmpty, "no shard to add")
        self.gradients = gradients
    }

    /// Floats that are summed over all shards before the next: 8 KiB, so that they stay in L1.
    private static let block = 2048

    /// Sums the elements `range` of all gradients.
    ///
    /// - Parameters:
    ///   - base: 4 · range.count bytes of float32 at any alignment, or nil; may be `out` itself.
    ///   - out: as many bytes, at any alignment.
    package func sum(
        _ range: Range<Int>, onto base: UnsafeRawPointer?, into out: UnsafeMutableRawPointer
    ) {
        var start = 0
        while start < range.count {
            let count = min(Self.block, range.count - start)
            let target = out + 4 * start
            var rest = gradients[...]
            var source = base.map { $0 + 4 * start }
            if source == nil {
                let first = gradients[0].unsafeAddress + range.lowerBound + start
                rest = rest.dropFirst()
                guard !rest.isEmpty else {
                    target.copyMemory(from: first, byteCount: 4 * count)
                    start += count
                    continue
                }
                source = UnsafeRawPointer(first)
            }
            for gradient in rest {
                Self.add(
                    source!, gradient.unsafeAddress + range.lowerBound + start, target, count)
                source = UnsafeRawPointer(target)
            }
            start += count
        }
    }

    /// out = a + b for `count` float32 at any alignment.
    @inline(__always)
    private static func add(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ out: UnsafeMutableRawPointer, _ count: Int
    ) {
        var offset = 0
        let whole = 4 * (count & ~7)
        while offset < whole {
            let left = a.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            let right = b.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            out.storeBytes(of: left + right, toByteOffset: offset, as: SIMD8<Float>.self)
            offset += 32
        }
        while offset < 4 * count {
            let left = a.loadUnaligned(fromByteOffset: offset, as: Float.self)
            let right = b.loadUnaligned(fromByteOffset: offset, as: Float.self)
            out.storeBytes(of: left + right, toByteOffset: offset, as: Float.self)
            offset += 4
        }
    }
}
