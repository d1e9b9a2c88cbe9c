/// A length of time as people type it: `500ms`, `10s`, `2m`, `1h`, `1.5h`.
package struct TimeSpan: Codable, Hashable, Comparable, Sendable {
    /// The length in milliseconds, 0 to a year.
    package let milliseconds: Int

    /// Makes a span of so many milliseconds, unchecked.
    package init(milliseconds: Int) { self.milliseconds = milliseconds }
    /// Returns a span of so many seconds.
    package static func seconds(_ count: Int) -> TimeSpan { TimeSpan(milliseconds: count * 1000) }
    /// Returns a span of so many hours.
    package static func hours(_ count: Int) -> TimeSpan { seconds(count * 3600) }

    /// Reads a number of at least 0 directly followed by ms, s, m or h. Nil means
    /// another text, or more than a year.
    package init?(_ text: String) {
        guard let span = try? TimeSpan(reading: text) else { return nil }
        self = span
    }

    /// Reads a span as it is typed. Throws the reason why `text` is no span of at most a year.
    init(reading text: String) throws(ValueFault) {
        guard !text.hasSuffix("us") else { throw .malformed }
        let milliseconds = try Units.time.read(text).rounded()
        guard milliseconds <= 365 * 24 * 3_600_000 else { throw .outOfRange }
        self.milliseconds = Int(milliseconds)
    }

    /// The span as the type of Swift's clocks.
    package var duration: Duration { .milliseconds(milliseconds) }
    /// The length in seconds.
    package var seconds: Double { Double(milliseconds) / 1000 }

    /// Whether `a` is shorter than `b`.
    package static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.milliseconds < b.milliseconds }
}

extension TimeSpan: CustomStringConvertible {
    /// The length in the largest unit that needs no fraction; reading it back gives the same span.
    package var description: String {
        for (suffix, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        where milliseconds > 0 && milliseconds % size == 0 {
            return "\(milliseconds / size)\(suffix)"
        }
        return "\(milliseconds)ms"
    }
}
