import Foundation

/// `1234567` as `1,234,567`.
package func grouped(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return (number < 0 ? "-" : "") + String(digits)
}

/// With so many decimals.
package func fixed(_ number: Double, _ decimals: Int) -> String {
    // C writes the sign of what is no number, too.
    number.isNaN ? "nan" : String(format: "%.\(decimals)f", number)
}

/// With an exponent and two decimals: `1.20e-07`.
package func scientific(_ number: Double) -> String { String(format: "%.2e", number) }

/// Filled up with spaces to `width`, on the left if that is negative.
package func padded(_ text: String, _ width: Int) -> String {
    let spaces = String(repeating: " ", count: max(0, abs(width) - text.count))
    return width < 0 ? spaces + text : text + spaces
}

/// 45 s, 3 min 10 s, 2 h 5 min.
package func span(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 100 { return "\(whole) s" }
    if whole < 6000 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
}
