/// What `doctor` asks a coordinator, and hears. It speaks as who asks for the status does.
package enum DoctorMessage: Hashable, Sendable {
    case aboutRun
    /// JSON.
    case run([UInt8])
    /// Bytes that mean nothing; as many are wanted back.
    case sample(payload: [UInt8], wanted: Int)
    /// `time`: the coordinator's clock, in nanoseconds since 1970.
    case sampled(time: UInt64, payload: [UInt8])
    /// Have a worker serve the number.
    case listen(worker: String, number: UInt64)
    /// Where it does: its ring's endpoint, and the port of that host. Port 0: it does not.
    case listening(number: UInt64, endpoint: String, port: Int)
    /// Have a worker try the way.
    case attempt(worker: String, LinkAttempt)
    case attempted(number: UInt64, LinkReport)
    /// There is no such worker (any more).
    case noWorker(number: UInt64)

    /// Bytes of a sample at most, either way.
    package static let sampleLimit = 1 << 20
    /// Bytes of a whole message at most.
    package static let limit = WireLimit.status + 1024

    static let kinds: ClosedRange<UInt8> = 122...130

    /// Whether `message` is one of these; it may still be damaged.
    package static func isOne(_ message: [UInt8]) -> Bool {
        message.count >= Envelope.headerSize && kinds.contains(message[6])
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        let kind: UInt8
        switch self {
        case .aboutRun: kind = 122
        case .run(let json):
            kind = 123
            writer.put(json)
        case .sample(let payload, let wanted):
            kind = 124
            writer.put(UInt32(clamping: wanted))
            writer.put(payload)
        case .sampled(let time, let payload):
            kind = 125
            writer.put(time)
            writer.put(payload)
        case .listen(let worker, let number):
            kind = 126
            writer.put(number)
            writer.put(clipped: worker)
        case .listening(let number, let endpoint, let port):
            kind = 127
            writer.put(number)
            writer.put(clipped: endpoint)
            writer.put(UInt16(clamping: port))
        case .attempt(let worker, let attempt):
            kind = 128
            attempt.write(to: &writer)
            writer.put(clipped: worker)
        case .attempted(let number, let report):
            kind = 129
            writer.put(number)
            report.write(to: &writer)
        case .noWorker(let number):
            kind = 130
            writer.put(number)
        }
        return Envelope.seal(kind: kind, body: writer.bytes)
    }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) {
        var (kind, reader) = try Envelope.open(bytes)
        self = try Self.read(kind, &reader)
        try reader.end()
    }

    private static func read(
        _ kind: UInt8, _ reader: inout ByteReader
    ) throws(WireError) -> DoctorMessage {
        switch kind {
        case 122: return .aboutRun
        case 123: return .run(try reader.content("run", limit: WireLimit.status))
        case 124:
            let wanted = Int(try reader.integer("wanted", as: UInt32.self))
            guard wanted <= sampleLimit else {
                throw .tooLong(field: "wanted", count: wanted, limit: sampleLimit)
            }
            let payload = try reader.content("payload", limit: sampleLimit)
            return .sample(payload: payload, wanted: wanted)
        case 125:
            return .sampled(
                time: try reader.integer("time"),
                payload: try reader.content("payload", limit: sampleLimit))
        case 126:
            let number: UInt64 = try reader.integer("number")
            return .listen(worker: try reader.text("worker", limit: WireLimit.text), number: number)
        case 127:
            return .listening(
                number: try reader.integer("number"),
                endpoint: try reader.text("endpoint", limit: WireLimit.text),
                port: Int(try reader.integer("port", as: UInt16.self)))
        case 128:
            let attempt = try LinkAttempt(from: &reader)
            return .attempt(worker: try reader.text("worker", limit: WireLimit.text), attempt)
        case 129:
            return .attempted(
                number: try reader.integer("number"), try LinkReport(from: &reader))
        case 130: return .noWorker(number: try reader.integer("number"))
        default: throw .unknownValue(field: "kind", value: Int(kind))
        }
    }
}
