import Checkpoint

/// The reason why a text is no value of a setting.
package enum ValueFault: Error, Equatable, Sendable {
    /// It is not written as the setting's values are.
    case malformed
    case outOfRange
    /// There is nothing.
    case empty
}

/// The form of a setting's values, for messages, help and documentation.
package enum ValueKind: Equatable, Sendable {
    case whole(Interval)
    case decimal(Interval)
    case span(Interval)
    case size(Interval)
    case rate(Interval)
    case choice([String])
    /// A flag, given by name alone; `negatable` also as `--no-NAME`.
    case flag(negatable: Bool)
    case path
    case address

    /// The numbers that are allowed, as they would be typed.
    package struct Interval: Equatable, Sendable {
        /// The lower end; nil where there is none.
        package var low: String?
        /// The upper end; nil where there is none.
        package var high: String?
        /// Whether the lower end itself is refused.
        package var excludesLow = false
        /// Whether the upper end itself is refused.
        package var excludesHigh = false
    }

    /// The placeholder for a value in the help.
    package var placeholder: String {
        switch self {
        case .whole: "n"
        case .decimal: "x"
        case .span: "time"
        case .size: "size"
        case .rate: "rate"
        case .choice(let names): names.joined(separator: "|")
        case .flag: ""
        case .path: "file"
        case .address: "tcp://host:port"
        }
    }
}

/// The values that a setting may have: how they are read from a text and written as one.
package struct Domain<Value>: Sendable {
    /// The form of the values, for messages, help and documentation.
    package let kind: ValueKind
    /// The placeholder for a value in the help.
    private(set) var placeholder: String
    private let parse: @Sendable (String) throws(ValueFault) -> Value
    /// Writes a value as the text that `read` takes.
    package let write: @Sendable (Value) -> String

    init(
        _ kind: ValueKind, write: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (String) throws(ValueFault) -> Value
    ) {
        self.kind = kind
        placeholder = kind.placeholder
        self.parse = parse
        self.write = write
    }

    /// Returns the same domain with another placeholder in the help.
    func shown(_ placeholder: String) -> Domain {
        var domain = self
        domain.placeholder = placeholder
        return domain
    }

    /// Returns the value that `text` stands for. Throws the reason why it stands for none.
    package func read(_ text: String) throws(ValueFault) -> Value {
        guard !text.isEmpty else { throw .empty }
        return try parse(text)
    }
}

// MARK: Numbers

extension Domain where Value: FixedWidthInteger & Sendable {
    /// Every whole number that the machine's type holds.
    package static var whole: Domain { whole(Value.min...Value.max) }

    /// Whole numbers from the lower end to the largest that the type holds.
    package static func whole(_ range: PartialRangeFrom<Value>) -> Domain {
        whole(range.lowerBound...Value.max)
    }

    /// Whole numbers from end to end, both included, typed in decimal digits.
    package static func whole(_ range: ClosedRange<Value>) -> Domain {
        let isOpen = range.upperBound == Value.max && Value.self == Int.self
        let interval = ValueKind.Interval(
            low: "\(range.lowerBound)", high: isOpen ? nil : "\(range.upperBound)")
        return Domain(.whole(interval), write: described) { text throws(ValueFault) in
            let digits = text.utf8.drop { $0 == 0x2B || $0 == 0x2D }
            guard text.utf8.count - digits.count <= 1, !digits.isEmpty,
                digits.allSatisfy({ (0x30...0x39).contains($0) })
            else { throw .malformed }
            guard let value = Value(text), range.contains(value) else { throw .outOfRange }
            return value
        }
    }
}

extension Domain where Value: BinaryFloatingPoint & Sendable {
    /// Decimal numbers from end to end, the upper one excluded.
    package static func decimal(_ range: Range<Double>) -> Domain {
        decimal(
            .init(
                low: shortest(range.lowerBound), high: shortest(range.upperBound),
                excludesHigh: true)
        ) { range.contains($0) }
    }

    /// Decimal numbers from end to end, both included.
    package static func decimal(_ range: ClosedRange<Double>) -> Domain {
        decimal(.init(low: shortest(range.lowerBound), high: shortest(range.upperBound))) {
            range.contains($0)
        }
    }

    /// Decimal numbers from `low` to the largest Float.
    package static func decimal(from low: Double) -> Domain {
        decimal(.init(low: shortest(low), high: largest)) { $0 >= low }
    }

    /// Decimal numbers above `low`, up to the largest Float.
    package static func decimal(above low: Double) -> Domain {
        decimal(.init(low: shortest(low), high: largest, excludesLow: true)) { $0 > low }
    }

    /// Decimal numbers above `low`, up to `high` itself.
    package static func decimal(above low: Double, to high: Double) -> Domain {
        decimal(.init(low: shortest(low), high: shortest(high), excludesLow: true)) {
            $0 > low && $0 <= high
        }
    }

    /// The largest number of Float, in which arithmetic is done.
    private static var largest: String { "3.4e38" }

    private static func decimal(
        _ interval: ValueKind.Interval, isFit: @escaping @Sendable (Double) -> Bool
    ) -> Domain {
        Domain(.decimal(interval), write: shortestText) {
            text throws(ValueFault) in
            let number = try plainNumber(text)
            // Arithmetic is done in Float, where neither infinity nor a lost value may come of it.
            let used = Float(number)
            guard isFit(number), used.isFinite, used != 0 || number == 0 else { throw .outOfRange }
            return Value(number)
        }
    }
}

/// Returns a number typed in decimal digits, with a point and an exponent at most.
func plainNumber(_ text: some StringProtocol) throws(ValueFault) -> Double {
    guard text.utf8.contains(where: { (0x30...0x39).contains($0) }),
        text.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".+-eE".utf8.contains($0) }),
        let number = Double(text)
    else { throw .malformed }
    return number
}

@Sendable private func described<Value>(_ value: Value) -> String { "\(value)" }

@Sendable private func rawValue<Value: RawRepresentable<String>>(_ value: Value) -> String {
    value.rawValue
}

@Sendable private func shortestText<Value: BinaryFloatingPoint>(_ value: Value) -> String {
    shortest(Double("\(value)") ?? Double(value))
}

@Sendable private func megabits(_ rate: Double) -> String { "\(shortest(rate / 125e3))mbit" }

@Sendable private func microseconds(_ seconds: Double) -> String {
    "\(shortest(seconds * 1e6))us"
}

private func shortest(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
}

// MARK: Quantities

extension Domain where Value == TimeSpan {
    /// Spans of time from end to end, both included, typed as `500ms`, `10s`, `2m` or `1h`.
    package static func span(_ range: ClosedRange<TimeSpan>) -> Domain {
        let interval = ValueKind.Interval(
            low: "\(range.lowerBound)", high: "\(range.upperBound)")
        return Domain(.span(interval), write: described) { text throws(ValueFault) in
            let span = try TimeSpan(reading: text)
            guard range.contains(span) else { throw .outOfRange }
            return span
        }
    }
}

/// Units by their suffix; where one ends in another, the longer stands first.
struct Units {
    let factors: [(suffix: String, factor: Double)]

    static let time = Units(factors: [
        ("us", 1e-3), ("ms", 1), ("s", 1e3), ("m", 6e4), ("h", 3.6e6),
    ])
    static let size = Units(factors: [
        ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("kB", 1e3), ("MB", 1e6),
        ("GB", 1e9), ("B", 1), ("", 1),
    ])
    static let rate = Units(factors: [("kbit", 125), ("mbit", 125e3), ("gbit", 125e6)])

    /// Returns the number before the unit, times its factor.
    func read(_ text: String) throws(ValueFault) -> Double {
        guard let unit = factors.first(where: { text.hasSuffix($0.suffix) }),
            let first = text.utf8.first, (0x30...0x39).contains(first)
        else { throw .malformed }
        let value = try plainNumber(text.dropLast(unit.suffix.count)) * unit.factor
        guard value.isFinite else { throw .outOfRange }
        return value
    }
}

extension Domain where Value == Int {
    /// Bytes: `4096`, `64KiB`, `8MB`.
    package static func size(_ range: ClosedRange<Int>) -> Domain {
        let interval = ValueKind.Interval(low: "\(range.lowerBound)", high: "\(range.upperBound)")
        return Domain(.size(interval), write: described) { text throws(ValueFault) in
            let bytes = try Units.size.read(text)
            guard bytes >= Double(range.lowerBound), bytes <= Double(range.upperBound) else {
                throw .outOfRange
            }
            guard bytes == bytes.rounded() else { throw .malformed }
            return Int(bytes)
        }
    }
}

extension Domain where Value == Double {
    /// Bytes a second, typed as bits: `100mbit`, `2.5gbit`.
    package static var rate: Domain {
        Domain(
            .rate(.init(low: "1kbit", high: "1000000gbit")),
            write: megabits
        ) { text throws(ValueFault) in
            let rate = try Units.rate.read(text)
            guard (125...125e12).contains(rate) else { throw .outOfRange }
            return rate
        }
    }

    /// Seconds, finer than other times: `0.2ms`, `50us`.
    package static var latency: Domain {
        Domain(
            .span(.init(low: "0us", high: "1h")), write: microseconds
        ) { text throws(ValueFault) in
            let seconds = try Units.time.read(text) / 1000
            guard seconds <= 3600 else { throw .outOfRange }
            return seconds
        }
    }
}

// MARK: Words

extension Domain where Value: CaseIterable & RawRepresentable<String> & Sendable {
    /// One of the type's names.
    package static var choice: Domain {
        let values = Dictionary(uniqueKeysWithValues: Value.allCases.map { ($0.rawValue, $0) })
        return Domain(.choice(Value.allCases.map(\.rawValue)), write: rawValue) {
            text throws(ValueFault) in
            guard let value = values[text] else { throw .malformed }
            return value
        }
    }
}

extension Domain where Value == Bool {
    /// A flag, given by name alone.
    package static var flag: Domain { bool(.flag(negatable: false)) }
    /// A flag, given by name alone or as `--no-NAME`.
    package static var negatableFlag: Domain { bool(.flag(negatable: true)) }
    /// A truth, given as `true` or `false`.
    package static var truth: Domain { bool(.choice(["true", "false"])) }

    private static func bool(_ kind: ValueKind) -> Domain {
        Domain(kind, write: described) { text throws(ValueFault) in
            guard let value = Bool(text) else { throw .malformed }
            return value
        }
    }
}

extension Domain where Value == String {
    /// A file; kept as an absolute path, so that a run resumes from any folder. `-` is standard input.
    package static var path: Domain {
        Domain(.path, write: described) { text in absolute(text) }
    }

    /// A run or file that is to stay the one that it is now, whatever becomes of links to it: a run that
    /// starts from runs/latest becomes that itself.
    package static var origin: Domain {
        Domain(.path, write: described) { text in resolvedPath(absolute(text)) ?? absolute(text) }
    }
}

extension Domain where Value == Address {
    /// Addresses of a coordinator, typed as `tcp://HOST:PORT`.
    package static var address: Domain {
        Domain(.address, write: described) { text throws(ValueFault) in
            guard let address = Address(text) else { throw .malformed }
            return address
        }
    }
}
