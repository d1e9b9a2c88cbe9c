import Wire

/// The record of one committed step, its samples and results: a line of `ledger.jsonl`.
package struct LedgerEntry: Codable, Equatable, Sendable {
    /// The version of the format that this module writes; it reads those up to it. The first lines
    /// bear no number and are read as this one.
    package static let format = 1

    /// The format of the line; nil in the first ones.
    package private(set) var format: Int?
    /// The step, from 1.
    package var step: Int
    /// The coordinator's incarnation and the arrangement of the ring within it.
    package var generation: Generation
    /// The indices of samples in the corpus, shard by shard.
    package var samples: [[Int]]
    /// The digest of the folded gradient.
    package var total: String
    /// The digest of parameters and moments before the update.
    package var state: String
    /// The mean over the labels, in nats; NaN or infinite in a step that was skipped for it.
    package var loss: Double
    /// The number of labels that the loss is the mean of.
    package var labels: Int
    /// The outcome of the step.
    package var verdict: Verdict
    /// The version of the arithmetic that computed it; nil where the first one did.
    package var arithmetic: Int?

    /// The outcome of a step that counts.
    package enum Verdict: String, Codable, Sendable {
        /// The update was made.
        case committed
        /// The step counts, but left parameters and moments as they were.
        case skipped
    }

    /// Makes an entry of its parts, in the current format.
    package init(
        step: Int, generation: Generation, samples: [[Int]], total: String, state: String,
        loss: Double, labels: Int, verdict: Verdict, arithmetic: Int? = nil
    ) {
        format = Self.format
        self.step = step
        self.generation = generation
        self.samples = samples
        self.total = total
        self.state = state
        self.loss = loss
        self.labels = labels
        self.verdict = verdict
        self.arithmetic = arithmetic
    }

    /// Returns the entry as a line, newline included: a JSON object. Its first field, `check`, is
    /// the first 16 digits of a SHA-256: of the line without that field and without the newline.
    package func line() throws(CheckpointError) -> [UInt8] {
        let body = try encoded(self, for: "")
        return Self.opening + Array(Self.check(body).utf8) + Self.closing + body.dropFirst()
            + [UInt8(ascii: "\n")]
    }

    /// Reads a line without its newline. Returns the reason why it cannot be read otherwise.
    package static func decode(_ line: [UInt8]) -> Result<LedgerEntry, Refusal> {
        guard let body = verifiedBody(line) else { return .failure(Refusal(fault: .checksum)) }
        let version = format(ofVerified: body)
        guard version <= format else { return .failure(Refusal(fault: .newer(format: version))) }
        guard let entry = decoded(LedgerEntry.self, body) else {
            return .failure(Refusal(fault: .notJSON))
        }
        guard possibleSteps.contains(entry.step) else {
            return .failure(Refusal(fault: .step(expected: 1, found: entry.step)))
        }
        return .success(entry)
    }

    /// A line that cannot be read, and why.
    package struct Refusal: Error, Equatable, Sendable {
        /// The fault of the line.
        package let fault: LedgerFault

        /// Makes a refusal of its fault.
        package init(fault: LedgerFault) { self.fault = fault }
    }

    /// The steps that a line may have, far from where counting on overflows. Lines
    /// come from files and from peers.
    static let possibleSteps = 1...1 << 53

    /// Returns the line without its check, nil when they do not belong together.
    static func verifiedBody(_ line: [UInt8]) -> [UInt8]? {
        let start = opening.count + checkDigits + closing.count
        guard line.count >= start, line.starts(with: opening),
            line[(start - closing.count)...].starts(with: closing)
        else { return nil }
        // The last byte before the body becomes its brace: no copy of a long line but this one.
        var body = line
        body.removeFirst(start - 1)
        body[0] = UInt8(ascii: "{")
        let check = line[opening.count..<opening.count + checkDigits]
        return check.elementsEqual(Self.check(body).utf8) ? body : nil
    }

    /// Returns the format of a verified body; 1 where it is not given.
    static func format(ofVerified body: [UInt8]) -> Int {
        let rest = number(under: "arithmetic", in: body.dropFirst())?.rest ?? body.dropFirst()
        return number(under: "format", in: rest)?.number ?? 1
    }

    /// Returns the version of the arithmetic of a verified body; 1 where it is not given.
    static func arithmetic(ofVerified body: [UInt8]) -> Int {
        number(under: "arithmetic", in: body.dropFirst())?.number ?? 1
    }

    /// Returns the number under the first key of `body`, if that is `key`, and what follows its
    /// comma. Keys are sorted.
    private static func number(
        under key: String, in body: ArraySlice<UInt8>
    ) -> (number: Int, rest: ArraySlice<UInt8>)? {
        let key = Array("\"\(key)\":".utf8)
        guard body.starts(with: key) else { return nil }
        let digits = body.dropFirst(key.count).prefix { (48...57).contains($0) }
        let number = Int(String(decoding: digits, as: UTF8.self)) ?? .max
        return (number, body[digits.endIndex...].dropFirst())
    }

    /// Returns the step of a verified body without decoding the rest of it. Keys are sorted, so it
    /// stands behind the samples, near the end; a quoted text cannot contain the unescaped key.
    static func step(ofVerified body: [UInt8]) -> Int? {
        let key = Array("\"step\":".utf8)
        var start = body.count - key.count
        while start >= 0 && !body[start...].starts(with: key) { start -= 1 }
        guard start >= 0 else { return nil }
        let digits = body[(start + key.count)...].prefix { (48...57).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static let opening = Array("{\"check\":\"".utf8)
    private static let closing = Array("\",".utf8)
    private static let checkDigits = 16

    private static func check(_ body: [UInt8]) -> String {
        String(SHA256.digest(body).prefix(checkDigits))
    }
}
