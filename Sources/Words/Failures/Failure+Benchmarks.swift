import Measuring
import Threads
import Wire

extension Failure {
    package init(_ error: AllReduceBenchmark.Failure) {
        switch error {
        case .ended(let rank, let status, let sentence):
            let code: Code = status == .code(ExitStatus.refused) ? .resources : .other
            self.init(
                code,
                "worker \(rank) of the benchmark "
                    + (sentence.map { "ended: \($0)" } ?? "\(said(status)) before it was done"))
        case .failed(let rank, let message):
            self.init(.other, "worker \(rank) of the benchmark failed: \(message)")
        case .timedOut(let phase):
            self.init(.other, "the benchmark's workers took too long with \(phase)")
        }
    }

    package init(_ error: StepBenchmarkError) {
        switch error {
        case .ended(let outcome):
            self.init(.other, "the benchmark ended before its last step (\(plainWords(outcome)))")
        case .stateLost(let step):
            self.init(.other, "all of the benchmark's workers ended after step \(step)")
        }
    }
}
