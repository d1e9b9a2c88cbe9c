import Settings

extension ValueKind {
    /// What a value is: `a whole number of at least 1`.
    package var words: String {
        switch self {
        case .whole(let interval): "a whole number \(interval.words)"
        case .decimal(let interval): "a number \(interval.words)"
        case .span(let interval): "a time such as 500ms, 10s or 2m, \(interval.words)"
        case .size(let interval): "a size in bytes such as 4096, 64KiB or 8MB, \(interval.words)"
        case .rate(let interval): "a rate such as 100mbit or 2.5gbit, \(interval.words)"
        case .choice(let names): Failure.alternatives(names)
        case .flag: "true or false"
        case .path: "the path of a file"
        case .address: "an address such as \(Address.standard)"
        }
    }

    /// The values that are allowed: `from 1 to 1024`.
    var limits: String {
        switch self {
        case .whole(let interval), .decimal(let interval), .span(let interval), .size(let interval),
            .rate(let interval):
            interval.words
        default: words
        }
    }

    /// How `text` would have to be written, where that can be guessed.
    func hint(for text: String) -> String? {
        let bare = text.filter { !",_' \u{a0}\u{202f}".contains($0) }
        switch self {
        case .whole where Int(bare) != nil && bare != text: return "write \(bare)"
        case .whole:
            guard let number = Double(text), number == number.rounded(), abs(number) < 1e15 else {
                return nil
            }
            return "write \(Int(number))"
        case .decimal where Double(bare) != nil && bare != text:
            return text.contains(",") ? "write the point as '.'" : "write \(bare)"
        case .span where Double(text) != nil: return "add its unit, as in \(text)s"
        case .rate where Double(text) != nil: return "add its unit, as in \(text)mbit"
        case .choice(let names):
            return Spelling.nearest(to: text.lowercased(), among: names).map {
                "did you mean \($0)?"
            }
        case .flag:
            return ["true", "yes", "on", "1", "y"].contains(text.lowercased())
                ? "write true"
                : ["false", "no", "off", "0", "n"].contains(text.lowercased())
                    ? "write false" : nil
        case .address where !text.contains("://") && Address("tcp://\(text)") != nil:
            return "write tcp://\(text)"
        default: return nil
        }
    }
}

extension ValueKind.Interval {
    var words: String {
        switch (low, high) {
        case (let low?, let high?):
            switch (excludesLow, excludesHigh) {
            case (true, _): "above \(low) and at most \(high)"
            case (false, true): "from \(low) to below \(high)"
            case (false, false): "from \(low) to \(high)"
            }
        case (let low?, nil): excludesLow ? "above \(low)" : "of at least \(low)"
        case (nil, let high?): "of at most \(high)"
        case (nil, nil): "of any size"
        }
    }
}
