import Wire

/// Trials of the held-out part, batch after batch.
struct Trial: Sendable {
    private let policy: CoordinatorPolicy.Validation
    /// The step after which the held-out part was tried last.
    private var last: Int
    private var sums = ValidationResult(step: 0, smoothed: 0, loss: 0, labels: 0)
    /// Losses of the batch at hand.
    private var reports: [PeerID: [ShardReport]] = [:]

    /// `step`: that from which the run goes on.
    init(_ policy: CoordinatorPolicy.Validation, from step: Int) {
        self.policy = policy
        last = step
    }

    /// Whether the held-out part is to be tried; at the run's end in any case.
    func isDue(after step: Int, isLast: Bool) -> Bool {
        last < step && policy.batches > 0 && (policy.isDue(at: step) || isLast && policy.every > 0)
    }

    mutating func begin(after step: Int) {
        sums = ValidationResult(step: step, smoothed: 0, loss: 0, labels: 0)
    }

    /// Forgets what has come of the batch at hand.
    mutating func clear() { reports = [:] }

    func has(_ id: PeerID) -> Bool { reports[id] != nil }

    mutating func add(_ evaluation: Evaluation, of id: PeerID) {
        reports[id] = evaluation.reports
    }

    /// Adds the batch up; false while some have not answered.
    mutating func addUp(_ members: Members) -> Bool {
        guard reports.count == members.peers.count else { return false }
        // In shard order, so that the sum does not depend on who computed what.
        for report in members.peers.flatMap({ reports[$0]! }) {
            sums.smoothed += report.smoothed
            sums.loss += report.negativeLogLikelihood
            sums.labels += report.labels
        }
        return true
    }

    /// The batch to try after this one, if there is one.
    func next(after batch: Int) -> Int? { batch + 1 < policy.batches ? batch + 1 : nil }

    /// All batches are tried.
    ///
    /// - Returns: the means over all labels.
    mutating func end(at step: Int) -> ValidationResult {
        last = max(last, step)
        let labels = Double(max(1, sums.labels))
        sums.smoothed /= labels
        sums.loss /= labels
        return sums
    }
}
