import Inference

extension Failure {
    package init(_ error: Verification.Failure) {
        switch error {
        case .nothingRecorded(let run):
            self = .data("\(shown(run)) has no step in its ledger yet, train until it has")
        case .outside(let run, let asked, let recorded):
            self = .usage(
                "--steps \(asked.lowerBound)..\(asked.upperBound) is not within the steps "
                    + "\(recorded.lowerBound)..\(recorded.upperBound) of \(shown(run)), give some of "
                    + "them")
        case .noStart(let run, let first):
            self = .data(
                "\(shown(run)) has a ledger that begins at step \(first) and no checkpoint before its "
                    + "last line, train until it has saved another")
        case .collective(let run):
            self = .data(
                "\(shown(run)) was summed with --collective ring, whose bits depend on the number "
                    + "of workers, verify runs of --collective fold")
        }
    }
}
