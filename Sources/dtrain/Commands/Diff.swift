import ArgumentParser
import Inference
import Words

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Says how two runs or checkpoints differ.",
        discussion: """
            Compares parameters and moments bit for bit, tensor by tensor; the tokenizers; the \
            settings; and the steps that both ledgers have, with the first at which they part. Of a \
            run the newest whole checkpoint is taken. It only reads; runs that are under way may be \
            compared, too.

            Ends with 0 if nothing differs that the numbers depend on, with 1 and a sentence on \
            standard error if something does. How many workers computed a step, and over what \
            links, makes no difference.

            EXAMPLES
              dtrain diff runs/one runs/other
              dtrain diff runs/latest/checkpoints/step-000100 runs/latest --json
            """)

    @Argument(help: "A run or one of its checkpoints.", completion: .directory)
    var first: String

    @Argument(help: "Another.", completion: .directory)
    var second: String

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let sides = try [first, second].map { path in
            try CheckpointDifference.Side(Failure.path("the folder", path))
        }
        for side in sides { sayPassedOver(side.found) }
        let difference = try CheckpointDifference(sides[0], sides[1])
        if json {
            try StandardOutput.write(json: DifferenceReport(difference))
        } else {
            try StandardOutput.write(difference.text)
        }
        if let verdict = difference.verdict { throw Failure(.other, verdict) }
    }
}

/// The line of JSON.
private struct DifferenceReport: Encodable {
    struct Side: Encodable {
        let checkpoint: String
        let step: Int
        let digest: String

        init(_ side: CheckpointDifference.Side) {
            checkpoint = side.found.folder.path
            step = side.step
            digest = side.digest
        }
    }

    struct Setting: Encodable {
        let name: String
        let a, b: String?
        let changesNumbers: Bool

        enum CodingKeys: String, CodingKey {
            case name, a, b
            case changesNumbers = "changes_numbers"
        }
    }

    struct Tensor: Encodable {
        let name: String
        let count, differing: Int
        /// The largest |a - b|.
        let largest: Double
        /// ‖a - b‖ / ‖a‖.
        let relative: Double

        init(_ tensor: TensorDifference) {
            name = tensor.name
            count = tensor.count
            differing = tensor.differing
            largest = tensor.largest
            relative = tensor.relative
        }
    }

    struct Tensors: Encodable {
        let compared: Int
        let differing: [Tensor]
        /// Tensors that only one has, or that have other shapes.
        let unmatched: [String]

        init(_ tensors: TensorDifferences) {
            compared = tensors.compared
            differing = tensors.differing.map(Tensor.init)
            unmatched = tensors.unmatched.map(\.sentence)
        }
    }

    struct Ledgers: Encodable {
        struct Parting: Encodable {
            let step: Int
            let subject, a, b: String
        }

        /// First and last step.
        let a, b: [Int]
        let parting: Parting?

        init(_ ledgers: LedgerDifference) {
            a = [ledgers.first.lowerBound, ledgers.first.upperBound - 1]
            b = [ledgers.second.lowerBound, ledgers.second.upperBound - 1]
            parting = ledgers.parting.map {
                Parting(step: $0.step, subject: $0.subject.rawValue, a: $0.first, b: $0.second)
            }
        }
    }

    let equal: Bool
    let a, b: Side
    let settings: [Setting]
    let sameTokenizer: Bool
    let parameters, moments: Tensors
    let ledgers: Ledgers?

    enum CodingKeys: String, CodingKey {
        case equal, a, b, settings, parameters, moments, ledgers
        case sameTokenizer = "same_tokenizer"
    }

    init(_ difference: CheckpointDifference) {
        equal = difference.isEqual
        a = Side(difference.first)
        b = Side(difference.second)
        settings = difference.settings.map {
            Setting(
                name: $0.setting.rawValue, a: $0.first, b: $0.second,
                changesNumbers: $0.changesNumbers)
        }
        sameTokenizer = difference.hasSameTokenizer
        parameters = Tensors(difference.parameters)
        moments = Tensors(difference.moments)
        ledgers = difference.ledgers.map(Ledgers.init)
    }
}
