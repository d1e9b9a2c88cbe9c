import Checkpoint
import Dispatch
import Foundation
import Model
import Parameters
import Synchronization
import Testing
import Training

@Suite("Every allowed combination of choices")
struct ChoicesTests {
    @Test(
        "trains 20 steps with a falling loss, saves, resumes with the same digest, and its gradient is a slope"
    )
    func matrix() throws {
        #expect(Choice.all.count == 2 * 7 * 6 * 5 * 3 - 7 * 6 * 5 + Choice.added.count)
        let folder = try SavedChoices()
        let problems = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: Choice.all.count) { index in
            let choice = Choice.all[index]
            do {
                let found = try Self.problems(choice, in: folder, number: index)
                problems.withLock { $0 += found.map { "\(choice.testDescription): \($0)" } }
            } catch {
                problems.withLock { $0.append("\(choice.testDescription): \(error)") }
            }
        }
        let found = problems.withLock { $0 }
        #expect(found.isEmpty, "\(found.count), such as \(found.prefix(5))")
    }

    private static func problems(
        _ choice: Choice, in folder: SavedChoices, number: Int
    ) throws -> [String] {
        var problems: [String] = []
        let straight = try ChoiceTraining(choice)
        if let problem = slopeProblem(straight) { problems.append(problem) }
        var losses = straight.train(to: 10)
        try folder.save(straight, number)
        losses += straight.train(to: 20)
        if !(losses.suffix(3).reduce(0, +) < 0.95 * losses.prefix(3).reduce(0, +)) {
            problems.append("the loss does not fall: \(losses)")
        }
        let resumed = try ChoiceTraining(choice)
        try folder.load(number, into: resumed)
        resumed.train(to: 20)
        if resumed.state.digest() != straight.state.digest() {
            problems.append("resuming gives other bits")
        }
        return problems
    }

    /// The slope along the gradient of each tensor and a random direction beside it, all at once.
    ///
    /// Differences of fourth order: (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h.
    private static func slopeProblem(_ training: ChoiceTraining) -> String? {
        training.computeTotal(step: 1)
        let parameters = training.state.parameters
        let original = parameters.floats()
        var direction = [Float](repeating: 0, count: original.count)
        var expected = 0.0
        for slot in training.model.layout.slots where slot.offset < training.model.layout.trainable
        {
            let part = training.total.floats(slot.range)
            let size = max(1e-6, part.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot())
            for (index, slope) in part.enumerated() {
                let noise = Float((index * 7919 + slot.offset) % 101) / 50 - 1
                let along = slope / Float(size) + 0.3 * noise / Float(slot.count).squareRoot()
                direction[slot.offset + index] = along
                expected += Double(along) * Double(slope)
            }
        }
        func loss(_ step: Float) -> Double {
            parameters.store(zip(original, direction).map { $0 + step * $1 }, at: 0)
            return training.computeTotal(step: 1)
        }
        defer { parameters.store(original, at: 0) }
        // A kink between two measured points is no error of the slope: small steps for ReLU.
        let isKinked = training.model.architecture.activation == .relu
        let slopes = (isKinked ? [2e-4, 5e-5] : [2e-3]).map { (step: Float) in
            (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step)))
                / Double(12 * step)
        }
        guard slopes.allSatisfy({ abs($0 - expected) > 2e-3 * abs(expected) }) else { return nil }
        return "measured a slope of \(slopes), computed \(expected)"
    }
}

/// Checkpoints in a folder of their own that is gone afterwards.
private final class SavedChoices: Sendable {
    private let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("dtrain-choices-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func save(_ training: ChoiceTraining, _ number: Int) throws {
        let state = training.state
        let writer = try CheckpointWriter(
            in: "\(path)/\(number)",
            state: CheckpointState(
                step: state.step, adamCount: state.adamCount, epoch: 1, more: [:]),
            tensors: tensors(training), tokenizer: nil)
        for vector in [state.parameters, state.firstMoment, state.secondMoment] {
            try vector.withBytes(0..<vector.count) { try writer.append($0) }
        }
        _ = try writer.commit()
    }

    func load(_ number: Int, into training: ChoiceTraining) throws {
        let state = training.state
        let folder = try CheckpointFolder("\(path)/\(number)/step-000010")
        let sections = [state.parameters, state.firstMoment, state.secondMoment]
        try folder.read(CheckpointFolder.Section.allCases, tensors: tensors(training)) {
            section, element, bytes in
            sections[section.rawValue].store(bytes: bytes, at: element)
        }
        state.adopt(step: folder.step, adamCount: folder.state.adamCount)
    }

    private func tensors(_ training: ChoiceTraining) -> [TensorShape] {
        training.model.layout.slots.map { TensorShape(name: $0.name, shape: $0.shape) }
    }
}
