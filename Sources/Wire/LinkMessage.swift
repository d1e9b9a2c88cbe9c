/// What coordinator and worker say about links that are tried for `doctor`.
///
/// The state machines know nothing of it; the number, drawn by who asks, ties answers to questions.
package enum LinkMessage: Hashable, Sendable {
    /// To a worker: serve whoever shows the number, for a while.
    case listen(number: UInt64)
    /// The port at which the number is served; 0 where none could be had.
    case listening(number: UInt64, port: Int)
    /// To a worker: try the way.
    case attempt(LinkAttempt)
    /// What came of the attempt with this number.
    case attempted(number: UInt64, LinkReport)

    /// Returns whether `message` is one of these; it may still be damaged.
    package static func isOne(_ message: [UInt8]) -> Bool {
        Envelope.kind(of: message).map(kinds.contains) ?? false
    }

    /// The whole message in bytes.
    package var encoded: [UInt8] { sealed }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(unsealing: bytes) }
}

extension LinkMessage: WireChoice {
    static let kinds = Kinds<Self>(
        .listen(number: 0), .listening(number: 0, port: 0), .attempt(LinkAttempt()),
        .attempted(number: 0, LinkReport()))

    static func code<C: Coder>(
        _ message: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch message {
        case .listen(let number): (90, .listen(number: try coder.integer(number, "number")))
        case .listening(let number, let port):
            (
                91,
                .listening(
                    number: try coder.integer(number, "number"), port: try coder.port(port))
            )
        case .attempt(let attempt): (92, .attempt(try coder.coded(attempt)))
        case .attempted(let number, let report):
            (
                93,
                .attempted(
                    number: try coder.integer(number, "number"), try coder.coded(report))
            )
        }
    }
}

/// A way to be tried.
package struct LinkAttempt: Hashable, Sendable {
    /// Drawn by who asks; the answer bears it.
    package var number: UInt64 = 0
    /// Where a ring listens, which is knocked at.
    package var endpoint = ""
    /// Port of the same host at which the number is served; 0 for none.
    package var port = 0

    /// Makes an attempt; a longer endpoint than `WireLimit.text` bytes is cut on its way.
    package init(number: UInt64, endpoint: String, port: Int) {
        self.number = number
        self.endpoint = endpoint
        self.port = port
    }
}

extension LinkAttempt: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.integer(&number, "number")
        try coder.prose(&endpoint, "endpoint")
        try coder.port(&port)
    }
}

/// What came of an attempt.
package struct LinkReport: Hashable, Sendable {
    /// Seconds until the ring's port had accepted.
    package var seconds: Double
    /// Bytes a second; 0 if they could not be measured.
    package var rate: Double
    /// Why the ring's port did not accept: an errno, -1 for a name that leads nowhere; 0 if it did.
    package var code: Int32
    /// The same for the port of the measurement.
    package var rateCode: Int32

    /// Makes a report; without arguments, that of a port that accepted at once.
    package init(seconds: Double = 0, rate: Double = 0, code: Int32 = 0, rateCode: Int32 = 0) {
        self.seconds = seconds
        self.rate = rate
        self.code = code
        self.rateCode = rateCode
    }
}

extension LinkReport: WireCodable {
    init() { self.init(seconds: 0) }

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.seconds(&seconds)
        // Loopback carries more than any link.
        try coder.rate(&rate, "rate", limit: 1e15)
        try coder.integer(&code, "code")
        try coder.integer(&rateCode, "code")
    }
}

extension Coder {
    /// Codes a port in 16 bits.
    mutating func port(_ value: inout Int) throws(Failure) {
        try integer(clamping: &value, "port", as: UInt16.self)
    }

    mutating func port(_ value: Int) throws(Failure) -> Int {
        try integer(clamping: value, "port", as: UInt16.self)
    }
}
