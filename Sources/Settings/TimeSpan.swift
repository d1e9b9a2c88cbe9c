/// A length of time as people type it: `500ms`, `10s`, `2m`, `1h`, `1.5h`.
package struct TimeSpan: Codable, Hashable, Comparable, Sendable {
    package let milliseconds: Int

    package init(milliseconds: Int) { self.milliseconds = milliseconds }
    package static func seconds(_ count: Int) -> TimeSpan { TimeSpan(milliseconds: count * 1000) }
    package static func hours(_ count: Int) -> TimeSpan { seconds(count * 3600) }

    /// Nil unless `text` is a number of at least 0 directly followed by ms, s, m or h, and stays
    /// below a year.
    package init?(_ text: String) {
        guard let span = try? TimeSpan(reading: text) else { return nil }
        self = span
    }

    /// Throws: why `text` is no span of at most a year.
    init(reading text: String) throws(ValueFault) {
        guard !text.hasSuffix("us") else { throw .malformed }
        let milliseconds = try Units.time.read(text).rounded()
        guard milliseconds <= 365 * 24 * 3_600_000 else { throw .outOfRange }
        self.milliseconds = Int(milliseconds)
    }

    package var duration: Duration { .milliseconds(milliseconds) }
    package var seconds: Double { Double(milliseconds) / 1000 }

    package static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.milliseconds < b.milliseconds }
}

extension TimeSpan: CustomStringConvertible {
    /// In the largest unit that needs no fraction; reading it back gives the same span.
    package var description: String {
        for (suffix, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        where milliseconds > 0 && milliseconds % size == 0 {
            return "\(milliseconds / size)\(suffix)"
        }
        return "\(milliseconds)ms"
    }
}
