/// A range of elements that a worker is to give to one who learns the state.
package struct PieceRequest: Hashable, Sendable {
    /// The total of this step, or the state as it is when this comes.
    package enum Subject: Hashable, Sendable {
        case state
        case total(step: Int)
    }

    package var subject: Subject
    /// First element.
    package var offset: Int
    package var count: Int

    package init(_ subject: Subject, offset: Int, count: Int) {
        self.subject = subject
        self.offset = offset
        self.count = count
    }
}

/// The same range of θ, m and v, or of a committed total, on its way to one who learns the state.
///
/// Training goes on meanwhile: a range of the state is brought forward by the later totals.
package struct StatePiece: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        /// θ, m and v one after the other, as they are after `step`; little-endian float32.
        case state([UInt8])
        /// The folded gradient of `step`, and what its update needs besides.
        case total([UInt8], squaredNorm: Double, learningRate: Float)
        /// The donor does not have it (any more).
        case nothing
    }

    package var step: Int
    /// Updates that Adam has counted once this piece is in place.
    package var adamCount: Int
    package var offset: Int
    package var content: Content

    package init(step: Int, adamCount: Int, offset: Int, content: Content) {
        self.step = step
        self.adamCount = adamCount
        self.offset = offset
        self.content = content
    }

    /// Elements of θ that it covers.
    package var count: Int {
        switch content {
        case .state(let bytes): bytes.count / (4 * StateSection.allCases.count)
        case .total(let bytes, _, _): bytes.count / 4
        case .nothing: 0
        }
    }
}

extension PieceRequest: WireCodable {
    func write(to writer: inout ByteWriter) {
        if case .total(let step) = subject {
            writer.put(true)
            writer.put(UInt64(step))
        } else {
            writer.put(false)
        }
        writer.put(UInt64(offset))
        writer.put(UInt32(count))
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let isTotal = try reader.bool("is total")
        let step = isTotal ? try reader.count("step", limit: WireLimit.steps) : 0
        self.init(
            isTotal ? .total(step: step) : .state,
            offset: try reader.count("offset", limit: WireLimit.elements),
            count: Int(try reader.integer("elements", as: UInt32.self)))
        guard count > 0, count <= WireLimit.pieceElements else {
            throw .tooLong(field: "elements", count: count, limit: WireLimit.pieceElements)
        }
    }
}

extension StatePiece: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt64(step))
        writer.put(UInt64(adamCount))
        writer.put(UInt64(offset))
        switch content {
        case .state(let bytes):
            writer.put(UInt8(0))
            writer.put(bytes)
        case .total(let bytes, let squaredNorm, let learningRate):
            writer.put(UInt8(1))
            writer.put(bytes)
            writer.put(squaredNorm)
            writer.put(learningRate)
        case .nothing: writer.put(UInt8(2))
        }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let step = try reader.count("step", limit: WireLimit.steps)
        let adamCount = try reader.count("updates", limit: WireLimit.steps)
        let offset = try reader.count("offset", limit: WireLimit.elements)
        let kind = try reader.integer("piece", as: UInt8.self)
        let content: Content
        switch kind {
        case 0: content = .state(try reader.floats(3 * WireLimit.pieceElements, by: 12))
        case 1:
            content = .total(
                try reader.floats(WireLimit.pieceElements, by: 4),
                squaredNorm: try reader.double("squared norm"),
                learningRate: try reader.float("learning rate"))
        case 2: content = .nothing
        default: throw .unknownValue(field: "piece", value: Int(kind))
        }
        self.init(step: step, adamCount: adamCount, offset: offset, content: content)
    }
}

extension ByteReader {
    /// Bytes of at most `limit` floats, whose number of bytes `divisor` divides.
    fileprivate mutating func floats(_ limit: Int, by divisor: Int) throws(WireError) -> [UInt8] {
        let bytes = try content("piece", limit: 4 * limit)
        guard bytes.count % divisor == 0, !bytes.isEmpty else {
            throw .unknownValue(field: "piece", value: bytes.count)
        }
        return bytes
    }
}
