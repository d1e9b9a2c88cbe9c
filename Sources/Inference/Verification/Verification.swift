import Checkpoint
import Coordination
import Foundation
import Kernels
import Model
import Parameters
import Preparation
import Settings
import Text
import Threads
import Training

/// Recomputes a stretch of a run on this host and compares it with what the run has recorded.
///
/// It only reads, so a run that is under way may be verified too: the lines that its ledger has at
/// the beginning count.
package struct Verification {
    /// The reason that a run cannot be verified, where no other module says it.
    package enum Failure: Error, Equatable, Sendable {
        /// The ledger has no line yet.
        case nothingRecorded(run: String)
        /// The stretch asked for begins before the first line of the ledger or ends after its last.
        case outside(run: String, asked: ClosedRange<Int>, recorded: ClosedRange<Int>)
        /// The ledger begins at this step, and no checkpoint of the step before it or a later one
        /// is kept.
        case noStart(run: String, first: Int)
        /// The sums of the textbook ring depend on the number of workers.
        case collective(run: String)
    }

    /// The state with which the recomputation began.
    package enum Start: Equatable, Sendable {
        case seed
        /// The parameters of another run.
        case warmStart
        case checkpoint(path: String)
    }

    /// The first disagreement between the record and the recomputation.
    package struct Difference: Equatable, Sendable {
        /// The number or the file that disagrees.
        package enum Subject: Equatable, Sendable {
            /// The ledger's line has other samples than corpus and seed give.
            case samples
            case labels
            /// Digest of θ, m and v before the step.
            case state
            /// Whether the step was skipped.
            case verdict
            case loss
            /// Digest of the folded gradient.
            case total
            /// A checkpoint of the state after the step.
            case checkpoint(path: String)
            /// One whose bytes are not even what its own manifest says.
            case damaged(CheckpointError)
        }

        /// The step at which they disagree.
        package let step: Int
        /// The number or the file that disagrees.
        package let subject: Subject
        /// The value that ledger or checkpoint has, as text.
        package let recorded: String
        /// The value that this host computes, as text.
        package let recomputed: String
    }

    /// The outcome of a verification.
    package struct Result: Sendable {
        /// The state with which the recomputation began.
        package var start: Start
        /// The steps that were recomputed, the first one that differs included.
        package var steps: ClosedRange<Int>
        /// Number of recomputed steps that were skipped.
        package var skipped = 0
        /// The run knows its text again, and it is the same.
        package var textIsChecked = true
        /// So many skipped steps were too many: the run ended with them.
        package var gaveUpAfter: Int?
        /// Steps of the checkpoints that agree.
        package var checkpoints: [Int] = []
        /// The first disagreement; nil if all agrees.
        package var difference: Difference?
        /// Seconds that the verification took.
        package var seconds = 0.0
        /// Bytes behind the ledger's last whole line.
        package var tornBytes = 0
        /// That the settings were taken from a checkpoint, if so.
        package var repair: Repair?
    }

    private let run: RunPaths
    private let asked: ClosedRange<Int>?
    private let threads: Int
    /// The paths at which the run's text lies now.
    private let text: GivenSettings

    /// `steps`: the stretch to verify; nil is from the oldest checkpoint, or the seed, to the end.
    /// `text`: where the run's text lies now, if not where it was.
    package init(
        run: String, steps: ClosedRange<Int>?, threads: Int, text: GivenSettings = GivenSettings()
    ) {
        self.run = RunPaths(RunLocation(folder: run, resume: true).folder)
        asked = steps
        self.threads = threads
        self.text = text
    }

    /// Recomputes until something differs or all agrees; `progress` is told every step that agrees.
    ///
    /// Throws: `Failure`; what ledger, configuration, text and the checkpoint to start from have to
    /// say.
    package func verify(
        progress: (_ step: Int, _ steps: ClosedRange<Int>) -> Void
    ) throws -> Result {
        let began = ContinuousClock.now
        let saved = try SavedSettings(of: run.folder)
        let configuration = try saved.configuration.resumed(with: text, in: run.folder)
        for file in configuration.textFiles where text.isEmpty && TextFile.isPassing(file) {
            throw InferenceError.ownTextHasPassed(file: file)
        }
        guard configuration.cluster.collective == .fold else {
            throw Failure.collective(run: run.folder)
        }
        let ledger = try LedgerIndex(run.ledger)
        let stretch = try stretch(of: ledger)
        try requireSameArithmetic(ledger)
        let origin = try VerificationOrigin.find(
            in: run, before: stretch, ledger: ledger.steps, configuration)
        var comparison = try Comparison(
            ledger: ledger, shelf: CheckpointShelf(run.checkpoints), prepared: origin.prepared,
            recomputation: Recomputation(origin.prepared, from: origin.state, threads: threads))
        let first = origin.state.step + 1
        var result = Result(start: origin.start, steps: first...stretch.upperBound)
        result.textIsChecked = origin.memory != .none
        result.tornBytes = ledger.tornBytes
        result.repair = saved.repair
        for step in result.steps {
            result.difference = try comparison.compare(step)
            if result.difference != nil {
                result.steps = first...step
                break
            }
            progress(step, result.steps)
        }
        if result.difference == nil {
            result.difference = try comparison.compareEnd(after: stretch.upperBound)
        }
        if result.difference == nil, stretch.upperBound == ledger.steps.upperBound - 1 {
            result.gaveUpAfter = try skippedAtEnd(of: ledger, origin.prepared)
        }
        result.skipped = comparison.skipped
        result.checkpoints = comparison.checkpoints
        result.seconds = Clock.seconds(since: began)
        return result
    }

    /// Throws: `otherArithmetic`. One version computes all of a run.
    private func requireSameArithmetic(_ ledger: LedgerIndex) throws(CheckpointError) {
        let ours = ArithmeticVersion.current
        guard let last = try ledger.entry(ledger.steps.upperBound - 1),
            last.arithmetic ?? 1 != ours
        else { return }
        let newest = try CheckpointShelf(run.checkpoints).newestWhole().checkpoint
        throw .otherArithmetic(
            path: run.folder, theirs: last.arithmetic ?? 1, ours: ours,
            writer: newest?.manifest.software)
    }

    /// Skipped steps that end the ledger, if they are too many for a run to go on.
    private func skippedAtEnd(of ledger: LedgerIndex, _ prepared: PreparedRun) throws -> Int? {
        let last = ledger.steps.upperBound - 1
        var skips = SkippedSteps()
        for step in ledger.steps where step > last - SkippedSteps.inARow {
            if try ledger.entry(step)?.verdict == .skipped { skips.add(step) }
        }
        let steps = prepared.lastStep ?? .max
        return skips.areTooMany(at: last, of: steps) ? skips.count(upTo: last) : nil
    }

    /// The steps to compare: those asked for, or nil's lower bound left to the oldest checkpoint.
    private func stretch(of ledger: LedgerIndex) throws -> VerificationStretch {
        guard let first = ledger.steps.first, let last = ledger.steps.last else {
            throw Failure.nothingRecorded(run: run.folder)
        }
        guard let asked else { return VerificationStretch(lowerBound: nil, upperBound: last) }
        guard asked.lowerBound >= first, asked.upperBound <= last else {
            throw Failure.outside(run: run.folder, asked: asked, recorded: first...last)
        }
        return VerificationStretch(lowerBound: asked.lowerBound, upperBound: asked.upperBound)
    }
}

/// The steps to verify; without a lower bound from the oldest state that there is.
struct VerificationStretch {
    var lowerBound: Int?
    var upperBound: Int
}
