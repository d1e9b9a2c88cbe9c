/// What `doctor` asks a coordinator, and hears. It speaks as who asks for the status does.
package enum DoctorMessage: Hashable, Sendable {
    /// What run is this?
    case aboutRun
    /// JSON of at most `WireLimit.status` bytes.
    case run([UInt8])
    /// Bytes that mean nothing, at most `sampleLimit`; `wanted` are to come back.
    case sample(wanted: Int, payload: [UInt8])
    /// `time`: the coordinator's clock, in nanoseconds since 1970.
    case sampled(time: UInt64, payload: [UInt8])
    /// Have a worker serve the number.
    case listen(number: UInt64, worker: String)
    /// Where it does: its ring's endpoint, and the port of that host. Port 0: it does not.
    case listening(number: UInt64, endpoint: String, port: Int)
    /// Have a worker try the way.
    case attempt(LinkAttempt, worker: String)
    /// What came of the attempt with this number.
    case attempted(number: UInt64, LinkReport)
    /// There is no such worker (any more).
    case noWorker(number: UInt64)

    /// Bytes of a sample at most, either way.
    package static let sampleLimit = 1 << 20
    /// Bytes of a whole message at most.
    package static let limit = WireLimit.status + 1024

    /// Returns whether `message` is one of these; it may still be damaged.
    package static func isOne(_ message: [UInt8]) -> Bool {
        Envelope.kind(of: message).map(kinds.contains) ?? false
    }

    /// The whole message in bytes.
    package var encoded: [UInt8] { sealed }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(unsealing: bytes) }
}

extension DoctorMessage: WireChoice {
    static let kinds = Kinds<Self>(
        .aboutRun, .run([]), .sample(wanted: 0, payload: []), .sampled(time: 0, payload: []),
        .listen(number: 0, worker: ""), .listening(number: 0, endpoint: "", port: 0),
        .attempt(LinkAttempt(), worker: ""), .attempted(number: 0, LinkReport()),
        .noWorker(number: 0))

    static func code<C: Coder>(
        _ message: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch message {
        case .aboutRun: (122, .aboutRun)
        case .run(let json): (123, .run(try coder.bytes(json, "run", limit: WireLimit.status)))
        case .sample(let wanted, let payload):
            (
                124,
                .sample(
                    wanted: try coder.sampleBytes(wanted),
                    payload: try coder.bytes(payload, "payload", limit: sampleLimit))
            )
        case .sampled(let time, let payload):
            (
                125,
                .sampled(
                    time: try coder.integer(time, "time"),
                    payload: try coder.bytes(payload, "payload", limit: sampleLimit))
            )
        case .listen(let number, let worker):
            (
                126,
                .listen(
                    number: try coder.integer(number, "number"),
                    worker: try coder.prose(worker, "worker"))
            )
        case .listening(let number, let endpoint, let port):
            (
                127,
                .listening(
                    number: try coder.integer(number, "number"),
                    endpoint: try coder.prose(endpoint, "endpoint"), port: try coder.port(port))
            )
        case .attempt(let attempt, let worker):
            (128, .attempt(try coder.coded(attempt), worker: try coder.prose(worker, "worker")))
        case .attempted(let number, let report):
            (
                129,
                .attempted(
                    number: try coder.integer(number, "number"), try coder.coded(report))
            )
        case .noWorker(let number):
            (130, .noWorker(number: try coder.integer(number, "number")))
        }
    }
}

extension Coder {
    /// Codes how many bytes of a sample are wanted.
    fileprivate mutating func sampleBytes(_ wanted: Int) throws(Failure) -> Int {
        let count = try integer(clamping: wanted, "wanted", as: UInt32.self)
        let limit = DoctorMessage.sampleLimit
        try check(count <= limit, or: .tooLong(field: "wanted", count: count, limit: limit))
        return count
    }
}
