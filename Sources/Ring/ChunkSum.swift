import Parameters

/// Adds the gradients of a worker's own shards to a chunk, in shard order.
///
/// out = ((base + g₀) + g₁) + …, or (g₀ + g₁) + … without a base: never 0 + g₀, which would turn
/// −0 into +0. Sums of float32 in this order, so the bits do not depend on who adds. With a wire
/// format, every sum is rounded to it before the next shard is added, whoever owns that.
package struct ChunkSum {
    /// The gradients to add, in shard order; at least one, all of one length.
    package let gradients: [ParameterVector]
    private let rounding: StochasticRounding?
    private let firstShard: Int

    /// - Parameter firstShard: the shard of the first gradient.
    package init(
        _ gradients: [ParameterVector], firstShard: Int = 0, rounding: StochasticRounding? = nil
    ) {
        precondition(!gradients.isEmpty, "no shard to add")
        self.gradients = gradients
        self.firstShard = firstShard
        self.rounding = rounding?.format == .f32 ? nil : rounding
    }

    /// The only gradient, if nothing is added to it or rounded.
    var only: ParameterVector? { gradients.count == 1 && rounding == nil ? gradients[0] : nil }

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
        if let rounding { return sum(range, onto: base, into: out, rounding) }
        if base == nil && gradients.count == 1 {
            out.copyMemory(
                from: gradients[0].unsafeAddress + range.lowerBound, byteCount: 4 * range.count)
            return
        }
        for start in stride(from: 0, to: range.count, by: Self.block) {
            let count = min(Self.block, range.count - start)
            let target = out + 4 * start
            var source = base.map { $0 + 4 * start }
            var next = 0
            if source == nil {
                source = address(0, range.lowerBound + start)
                next = 1
            }
            while next < gradients.count {
                let taken = min(4, gradients.count - next)
                add(taken, from: next, at: range.lowerBound + start, onto: source!, target, count)
                source = UnsafeRawPointer(target)
                next += taken
            }
        }
    }

    private func sum(
        _ range: Range<Int>, onto base: UnsafeRawPointer?, into out: UnsafeMutableRawPointer,
        _ rounding: StochasticRounding
    ) {
        for start in stride(from: 0, to: range.count, by: Self.block) {
            let count = min(Self.block, range.count - start)
            let target = out + 4 * start
            let element = range.lowerBound + start
            var source = base.map { $0 + 4 * start }
            for index in gradients.indices {
                if let source {
                    add(1, from: index, at: element, onto: source, target, count)
                } else {
                    target.copyMemory(from: address(index, element), byteCount: 4 * count)
                }
                rounding.round(target, count, first: element, node: firstShard + index)
                source = UnsafeRawPointer(target)
            }
        }
    }

    private func address(_ gradient: Int, _ element: Int) -> UnsafeRawPointer {
        UnsafeRawPointer(gradients[gradient].unsafeAddress + element)
    }

    /// out = ((base + g) + …) over up to four gradients at once: one store, not four.
    private func add(
        _ taken: Int, from first: Int, at element: Int, onto base: UnsafeRawPointer,
        _ out: UnsafeMutableRawPointer, _ count: Int
    ) {
        let a = address(first, element)
        switch taken {
        case 1:
            Self.each(count, base, out) {
                $0 + Self.load(a, $1)
            } tail: {
                $0 + Self.one(a, $1)
            }
        case 2:
            let b = address(first + 1, element)
            Self.each(count, base, out) {
                ($0 + Self.load(a, $1)) + Self.load(b, $1)
            } tail: {
                ($0 + Self.one(a, $1)) + Self.one(b, $1)
            }
        case 3:
            let b = address(first + 1, element)
            let c = address(first + 2, element)
            Self.each(count, base, out) {
                (($0 + Self.load(a, $1)) + Self.load(b, $1)) + Self.load(c, $1)
            } tail: {
                (($0 + Self.one(a, $1)) + Self.one(b, $1)) + Self.one(c, $1)
            }
        default:
            let b = address(first + 1, element)
            let c = address(first + 2, element)
            let d = address(first + 3, element)
            Self.each(count, base, out) {
                ((($0 + Self.load(a, $1)) + Self.load(b, $1)) + Self.load(c, $1))
                    + Self.load(d, $1)
            } tail: {
                ((($0 + Self.one(a, $1)) + Self.one(b, $1)) + Self.one(c, $1)) + Self.one(d, $1)
            }
        }
    }

    @inline(__always)
    private static func load(_ from: UnsafeRawPointer, _ offset: Int) -> SIMD8<Float> {
        from.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
    }

    @inline(__always)
    private static func one(_ from: UnsafeRawPointer, _ offset: Int) -> Float {
        from.loadUnaligned(fromByteOffset: offset, as: Float.self)
    }

    /// out = f(base, offset) for `count` float32 at any alignment, eight at a time, then the rest.
    @inline(__always)
    private static func each(
        _ count: Int, _ base: UnsafeRawPointer, _ out: UnsafeMutableRawPointer,
        _ body: (SIMD8<Float>, Int) -> SIMD8<Float>, tail: (Float, Int) -> Float
    ) {
        var offset = 0
        let whole = 4 * (count & ~7)
        while offset < whole {
            out.storeBytes(
                of: body(load(base, offset), offset), toByteOffset: offset, as: SIMD8<Float>.self)
            offset += 32
        }
        while offset < 4 * count {
            out.storeBytes(
                of: tail(one(base, offset), offset), toByteOffset: offset, as: Float.self)
            offset += 4
        }
    }
}
