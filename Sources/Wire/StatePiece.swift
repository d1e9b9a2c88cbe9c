/// A range of elements that a worker is to give to one who learns the state.
package struct PieceRequest: Hashable, Sendable {
    /// The total of this step, or the state as it is when this comes.
    package enum Subject: Hashable, Sendable {
        case state
        case total(step: Int)
    }

    /// What the range is to be taken from.
    package var subject = Subject.state
    /// First element.
    package var offset = 0
    /// Number of elements: from 1 to `WireLimit.pieceElements`.
    package var count = 0

    /// Makes a request for `count` elements from `offset` on.
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
    /// What the donor had; numbers are little-endian float32, of at most `WireLimit.pieceElements`
    /// elements.
    package enum Content: Hashable, Sendable {
        /// θ, m and v one after the other, as they are after `step`.
        case state([UInt8])
        /// The folded gradient of `step`, and what its update needs besides.
        case total([UInt8], squaredNorm: Double, learningRate: Float)
        /// The donor does not have it (any more).
        case nothing
    }

    /// The step of the state or of the total.
    package var step = 0
    /// Updates that Adam has counted once this piece is in place.
    package var adamCount = 0
    /// First element of θ that it covers.
    package var offset = 0
    /// The numbers.
    package var content = Content.nothing

    /// Makes a piece that begins with element `offset`.
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

// MARK: - Coding

extension PieceRequest: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.choice(&subject, "is total")
        try coder.element(&offset, "offset")
        try coder.integer(&count, "elements", as: UInt32.self)
        let limit = WireLimit.pieceElements
        try coder.check(
            count > 0 && count <= limit,
            or: .tooLong(field: "elements", count: count, limit: limit))
    }
}

extension PieceRequest.Subject: WireChoice {
    static let kinds = Kinds<Self>(.state, .total(step: 0))

    static func code<C: Coder>(
        _ subject: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch subject {
        case .state: (0, .state)
        case .total(let step): (1, .total(step: try coder.step(step)))
        }
    }
}

extension StatePiece: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.step(&step)
        try coder.step(&adamCount, "updates")
        try coder.element(&offset, "offset")
        try coder.choice(&content, "piece")
    }
}

extension StatePiece.Content: WireChoice {
    static let kinds = Kinds<Self>(
        .state([]), .total([], squaredNorm: 0, learningRate: 0), .nothing)

    static func code<C: Coder>(
        _ content: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch content {
        case .state(let bytes):
            (0, .state(try coder.floats(bytes, vectors: StateSection.allCases.count)))
        case .total(let bytes, let squaredNorm, let learningRate):
            (
                1,
                .total(
                    try coder.floats(bytes, vectors: 1),
                    squaredNorm: try coder.double(squaredNorm, "squared norm"),
                    learningRate: try coder.float(learningRate, "learning rate"))
            )
        case .nothing: (2, .nothing)
        }
    }
}

extension Coder {
    /// Codes the bytes of equally many float32 of each of some vectors, of one element at least.
    fileprivate mutating func floats(
        _ value: [UInt8], vectors: Int
    ) throws(Failure) -> [UInt8] {
        let read = try bytes(value, "piece", limit: 4 * vectors * WireLimit.pieceElements)
        try check(
            read.count % (4 * vectors) == 0 && !read.isEmpty,
            or: .unknownValue(field: "piece", value: read.count))
        return read
    }
}
