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
    case attempted(number: UInt64, LinkReport)

    static let kinds: ClosedRange<UInt8> = 90...93

    /// Whether `message` is one of these; it may still be damaged.
    package static func isOne(_ message: [UInt8]) -> Bool {
        message.count >= Envelope.headerSize && kinds.contains(message[6])
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        let kind: UInt8
        switch self {
        case .listen(let number):
            kind = 90
            writer.put(number)
        case .listening(let number, let port):
            kind = 91
            writer.put(number)
            writer.put(UInt16(clamping: port))
        case .attempt(let attempt):
            kind = 92
            attempt.write(to: &writer)
        case .attempted(let number, let report):
            kind = 93
            writer.put(number)
            report.write(to: &writer)
        }
        return Envelope.seal(kind: kind, body: writer.bytes)
    }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) {
        var (kind, reader) = try Envelope.open(bytes)
        switch kind {
        case 90: self = .listen(number: try reader.integer("number"))
        case 91:
            self = .listening(
                number: try reader.integer("number"),
                port: Int(try reader.integer("port", as: UInt16.self)))
        case 92: self = .attempt(try LinkAttempt(from: &reader))
        case 93:
            self = .attempted(
                number: try reader.integer("number"), try LinkReport(from: &reader))
        default: throw .unknownValue(field: "kind", value: Int(kind))
        }
        try reader.end()
    }
}

/// A way to be tried.
package struct LinkAttempt: Hashable, Sendable, WireCodable {
    package var number: UInt64
    /// Where a ring listens, which is knocked at.
    package var endpoint: String
    /// Port of the same host at which the number is served; 0 for none.
    package var port: Int

    package init(number: UInt64, endpoint: String, port: Int) {
        self.number = number
        self.endpoint = endpoint
        self.port = port
    }

    func write(to writer: inout ByteWriter) {
        writer.put(number)
        writer.put(clipped: endpoint)
        writer.put(UInt16(clamping: port))
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            number: try reader.integer("number"),
            endpoint: try reader.text("endpoint", limit: WireLimit.text),
            port: Int(try reader.integer("port", as: UInt16.self)))
    }
}

/// What became of it.
package struct LinkReport: Hashable, Sendable, WireCodable {
    /// Seconds until the ring's port had accepted.
    package var seconds: Double
    /// Bytes a second; 0 if they could not be measured.
    package var rate: Double
    /// Why the ring's port did not accept: an errno, -1 for a name that leads nowhere; 0 if it did.
    package var code: Int32
    /// The same for the port of the measurement.
    package var rateCode: Int32

    package init(seconds: Double = 0, rate: Double = 0, code: Int32 = 0, rateCode: Int32 = 0) {
        self.seconds = seconds
        self.rate = rate
        self.code = code
        self.rateCode = rateCode
    }

    func write(to writer: inout ByteWriter) {
        writer.put(seconds)
        writer.put(rate)
        writer.put(code)
        writer.put(rateCode)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let seconds = try reader.seconds("seconds")
        let rate = try reader.double("rate")
        guard rate >= 0, rate < 1e15 else { throw .unknownValue(field: "rate", value: 0) }
        self.init(
            seconds: seconds, rate: rate, code: try reader.integer("code"),
            rateCode: try reader.integer("code"))
    }
}
