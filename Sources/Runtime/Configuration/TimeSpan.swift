/// A length of time as people type it: `500ms`, `10s`, `2m`, `1h`, `1.5h`.
package struct TimeSpan: Codable, Hashable, Comparable, Sendable {
    package let milliseconds: Int

    package init(milliseconds: Int) { self.milliseconds = milliseconds }
    package static func seconds(_ count: Int) -> TimeSpan { TimeSpan(milliseconds: count * 1000) }
    package static func hours(_ count: Int) -> TimeSpan { seconds(count * 3600) }

    /// Nil unless `text` is a number of at least 0 directly followed by ms, s, m or h, and stays
    /// below a year.
    package init?(_ text: String) {
        let units: [(suffix: String, milliseconds: Double)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
        ]
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
            let digit = text.utf8.first, (48...57).contains(digit),
            let number = Double(text.dropLast(unit.suffix.count)),
            number * unit.milliseconds <= 365 * 24 * 3_600_000
        else { return nil }
        milliseconds = Int((number * unit.milliseconds).rounded())
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
