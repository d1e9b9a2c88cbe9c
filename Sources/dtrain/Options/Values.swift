import Settings
import Words

/// The value that `text` stands for in `domain`. Throws a usage failure naming `flag`.
func value<Value>(
    _ flag: String, _ text: String, _ domain: Domain<Value>
) throws(Failure) -> Value {
    do {
        return try domain.read(text)
    } catch {
        throw Failure(error, of: domain.kind, text: text, place: flag, named: "\(flag) \(text)")
    }
}

/// `text` as a whole number in `range`. Throws a usage failure naming `flag`.
func whole(_ flag: String, _ text: String, _ range: ClosedRange<Int>) throws(Failure) -> Int {
    try value(flag, text, .whole(range))
}

/// `a..b` as a range.
func stretch(
    _ flag: String, _ text: String, startingAt least: Int
) throws(Failure) -> ClosedRange<Int> {
    let ends = text.split(separator: "..", omittingEmptySubsequences: false).map { Int($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first >= least, first <= last
    else {
        throw .usage(.takes(flag, .stretch(least: least), not: text))
    }
    return first...last
}
