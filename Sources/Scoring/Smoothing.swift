/// What BLEU makes of an order of which no n-gram matches.
///
/// Source: Chen and Cherry, "A systematic comparison of smoothing techniques for sentence-level
/// BLEU", WMT 2014.
package enum Smoothing: Sendable, Hashable {
    /// Nothing: the score is 0.
    case none
    /// Counts so many matches.
    case floor(Double)
    /// Adds as many to matched and counted n-grams of two words and more.
    case addK(Double)
    /// The k-th such order counts 1/2ᵏ matches (NIST, mteval-v13a).
    case exponential

    /// As sacreBLEU's signature says it.
    package var signature: String {
        switch self {
        case .none: "none"
        case .floor(let value): "floor[\(Figure.decimal(value, 2))]"
        case .addK(let value): "add-k[\(Figure.decimal(value, 2))]"
        case .exponential: "exp"
        }
    }
}
