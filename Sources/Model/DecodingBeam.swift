import Kernels

/// A beginning of an output: its words, log P of them, and its rows of the cache.
struct Hypothesis {
    var words: [Int32] = []
    var logProbability = 0.0
    /// The rows of the cache: one for each token fed to the decoder so far.
    var path: [Int32] = []
}

/// Beam search for one source: keeps the `width` best beginnings; with one it is greedy search.
///
/// An end mark finishes a beginning if it is among the `width` best continuations. Finished outputs
/// compete by their score. The search ends when `width` outputs are finished, or as many as are
/// wanted and none that is not could still become one of them.
/// Equals are ordered by the rank of the beginning, then by the lower id.
/// Source: Wu et al. 2016, section 7.
struct Beam {
    private let choices: SearchChoices
    /// Most words of an output, without the end mark.
    private let limit: Int
    /// Beginnings that are not finished, likeliest first.
    private(set) var live: [Hypothesis]
    /// Best first; of equals the one that was finished first.
    private(set) var outputs: [SearchOutput] = []
    private let firstInput: Int32

    init(
        _ choices: SearchChoices, limit: Int, start: Hypothesis = Hypothesis(),
        firstInput: Int32 = Mark.begin
    ) {
        precondition(choices.width > 0 && limit > 0, "beam \(choices.width), limit \(limit)")
        precondition(1...choices.width ~= choices.outputs, "\(choices.outputs) outputs")
        self.choices = choices
        self.limit = limit
        self.firstInput = firstInput
        live = [start]
    }

    /// The token that the decoder is fed next, for each beginning.
    var inputs: [Int32] { live.map { $0.words.last ?? firstInput } }

    /// Whether the next word must be the end mark.
    private var mustEnd: Bool { live.first.map { $0.words.count >= limit } ?? false }

    /// Continuations that each beginning must offer to `advance`.
    private var offers: Int {
        // The likeliest word decides a greedy search, unless it is an end mark that comes too soon.
        choices.width == 1 && choices.shortest == 0 ? 1 : 2 * choices.width
    }

    private struct Candidate {
        let parent: Int
        let word: Int32
        let logProbability: Double
    }

    /// Goes one word further: `fed` are the beginnings after their last words were fed, which gave them
    /// the `rows` of the logits.
    mutating func advance(_ fed: ArraySlice<Hypothesis>, _ logits: Matrix, _ rows: Range<Int>) {
        live = Array(fed)
        advance(
            rows.map { row in
                mustEnd
                    ? [logits.ranked(row: row, column: Int(Mark.end))]
                    : logits.ranked(row: row, count: offers, from: Mark.firstLabel)
            })
    }

    /// The same with each beginning's likeliest next words, likeliest first.
    private mutating func advance(_ ranked: [[Ranked]]) {
        precondition(ranked.count == live.count, "\(ranked.count) lists for \(live.count)")
        var survivors: [Hypothesis] = []
        for (rank, candidate) in candidates(ranked).prefix(offers).enumerated() {
            if candidate.word == Mark.end {
                if rank < choices.width { finish(live[candidate.parent], candidate.logProbability) }
            } else if survivors.count < choices.width {
                var hypothesis = live[candidate.parent]
                hypothesis.words.append(candidate.word)
                hypothesis.logProbability = candidate.logProbability
                survivors.append(hypothesis)
            }
        }
        // No survivor: the model yields what is no number. The words so far are the output.
        if survivors.isEmpty && outputs.isEmpty {
            outputs = [
                SearchOutput(
                    words: live.first?.words ?? [], logProbability: -.infinity, score: -.infinity)
            ]
        }
        live = outputs.count >= choices.width || isDecided(survivors) ? [] : survivors
    }

    private func candidates(_ ranked: [[Ranked]]) -> [Candidate] {
        var candidates: [Candidate] = []
        for (parent, list) in ranked.enumerated() {
            let isTooShort = live[parent].words.count < min(choices.shortest, limit)
            for next in list where !next.logProbability.isNaN {
                if isTooShort && next.column == Mark.end { continue }
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
        let score = logProbability / choices.penalty.value(hypothesis.words.count + 1)
        let place = outputs.firstIndex { $0.score < score } ?? outputs.endIndex
        outputs.insert(
            SearchOutput(words: hypothesis.words, logProbability: logProbability, score: score),
            at: place)
    }

    /// Log P only falls, so no beginning ends above its log P over the longest output's penalty.
    private func isDecided(_ survivors: [Hypothesis]) -> Bool {
        guard let first = survivors.first else { return true }
        guard outputs.count >= choices.outputs else { return false }
        return first.logProbability / choices.penalty.value(limit + 1)
            <= outputs[choices.outputs - 1].score
    }
}
