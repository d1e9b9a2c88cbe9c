import Kernels

/// How outputs are searched for, and which are preferred.
package struct SearchChoices: Hashable, Sendable {
    /// Beginnings that are kept; one is greedy search.
    package var width: Int
    /// Outputs wanted for each source: at most `width`.
    package var outputs = 1
    /// What outputs of different lengths are made comparable by.
    package var penalty = LengthPenalty.gnmt(alpha: 0.6)
    /// Fewest words of an output, without the end mark.
    package var shortest = 0
    /// Most words of an output; nil for `Decoding.usualLimit`, or `shortest` where that is more.
    package var longest: Int?

    /// Makes the usual choices for a beam of `width`.
    package init(width: Int = 1) { self.width = width }
}

/// What log P of a finished output of n words, end mark included, is divided by, so that long
/// outputs stand a chance.
package enum LengthPenalty: Hashable, Sendable {
    /// 1: the likeliest output wins.
    case none
    /// ((5 + n) / 6)^α. Source: Wu et al. 2016, section 7.
    case gnmt(alpha: Double)
    /// n^α: with α = 1 the mean of the words' log P. Source: Boulanger-Lewandowski et al. 2013.
    case power(alpha: Double)

    func value(_ count: Int) -> Double {
        switch self {
        case .none: 1
        case .gnmt(let alpha): Elementary.power(Double(5 + count) / 6, alpha)
        case .power(let alpha): Elementary.power(Double(count), alpha)
        }
    }
}

/// What a search has found.
package struct SearchOutput: Hashable, Sendable {
    /// Without marks.
    package var words: [Int32]
    /// Natural logarithm of the probability, end mark included.
    package var logProbability: Double
    /// log P over the length penalty: what outputs are ordered by.
    package var score: Double
}
