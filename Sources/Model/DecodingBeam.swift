import Kernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A beginning of an output: its words, log P of them, and its rows of the cache.
struct Hypothesis {
    var words: [Int32] = []
    var logProbability = 0.0
    /// The rows of the cache: one for each token fed to the decoder so far.
    var path: [Int32] = []
}

/// Beam search for one source: keeps the `width` best beginnings; with one it is greedy search.
///
/// Finished outputs compete by log P / lp, end mark included, so that long ones stand a chance:
///
///     lp(n) = ((5 + n) / 6)^α,   α = 0.6
///
/// An end mark finishes a beginning if it is among the `width` best continuations. The search
/// ends when `width` outputs are finished or none that is not could still become the best.
/// Equals are ordered by the rank of the beginning, then by the lower id.
/// Source: Wu et al. 2016, section 7.
struct Beam {
    let width: Int
    /// The most words of an output, without the end mark.
    let limit: Int
    /// Beginnings that are not finished, likeliest first. Only their paths are set from outside.
    var live: [Hypothesis]
    private(set) var best: (words: [Int32], score: Double)?
    private var finished = 0
    private let firstInput: Int32

    init(
        width: Int, limit: Int, start: Hypothesis = Hypothesis(), firstInput: Int32 = Mark.begin
    ) {
        precondition(width > 0 && limit > 0, "beam \(width), limit \(limit)")
        self.width = width
        self.limit = limit
        self.firstInput = firstInput
        live = [start]
    }

    /// The token that the decoder is fed next, for each beginning.
    var inputs: [Int32] { live.map { $0.words.last ?? firstInput } }

    static func lengthPenalty(_ count: Int) -> Double { pow(Double(5 + count) / 6, 0.6) }

    /// Whether the next word must be the end mark.
    var mustEnd: Bool { live.first.map { $0.words.count >= limit } ?? false }

    /// Continuations that each beginning must offer to `advance`.
    var offers: Int { 2 * width }

    private struct Candidate {
        let parent: Int
        let word: Int32
        let logProbability: Double
    }

    /// Goes one word further. `ranked`: each beginning's likeliest next words, likeliest first.
    mutating func advance(_ ranked: [[Ranked]]) {
        precondition(ranked.count == live.count, "\(ranked.count) lists for \(live.count)")
        var survivors: [Hypothesis] = []
        for (rank, candidate) in candidates(ranked).prefix(offers).enumerated() {
            if candidate.word == Mark.end {
                if rank < width { finish(live[candidate.parent], candidate.logProbability) }
            } else if survivors.count < width {
                var hypothesis = live[candidate.parent]
                hypothesis.words.append(candidate.word)
                hypothesis.logProbability = candidate.logProbability
                survivors.append(hypothesis)
            }
        }
        // No survivor: the model yields what is no number. The words so far are the output.
        if survivors.isEmpty && best == nil {
            best = (live.first?.words ?? [], -.infinity)
        }
        live = finished >= width || isDecided(survivors) ? [] : survivors
    }

    private func candidates(_ ranked: [[Ranked]]) -> [Candidate] {
        var candidates: [Candidate] = []
        for (parent, list) in ranked.enumerated() {
            for next in list where !next.logProbability.isNaN {
                let sum = live[parent].logProbability + Double(next.logProbability)
                candidates.append(
                    Candidate(parent: parent, word: next.column, logProbability: sum))
            }
        }
        return candidates.sorted {
            ($1.logProbability, $0.parent, $0.word) < ($0.logProbability, $1.parent, $1.word)
        }
    }

    private mutating func finish(_ hypothesis: Hypothesis, _ logProbability: Double) {
        finished += 1
        let score = logProbability / Self.lengthPenalty(hypothesis.words.count + 1)
        if best.map({ score > $0.score }) ?? true { best = (hypothesis.words, score) }
    }

    /// Log P only falls, so no beginning ends above its log P / lp of the longest output.
    private func isDecided(_ survivors: [Hypothesis]) -> Bool {
        guard let best, let first = survivors.first else { return survivors.isEmpty }
        return first.logProbability / Self.lengthPenalty(limit + 1) <= best.score
    }
}
