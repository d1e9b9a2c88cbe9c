import Foundation
import Parameters
import Testing
import Training

/// Numbers that look like gradients: many sizes, both signs, the same on every run.
private func sample(_ count: Int, seed: UInt64, size: Float = 1) -> ParameterVector {
    let vector = ParameterVector(count: count)
    var state = seed
    vector.withMutableFloats { floats in
        for index in 0..<count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            floats[index] = size * (Float(state >> 40) / Float(1 << 23) - 1)
        }
    }
    return vector
}

private let blocksAndTail = 2 * ParameterVector.blockCapacity + 1003

@Suite struct ScheduleTests {
    @Test func `the rate rises to its peak at the end of warm-up and falls with the root`() {
        let schedule = LearningRateSchedule(peak: 0.002, warmup: 400)
        #expect(schedule.rate(step: 1) == 0.002 / 400)
        #expect(schedule.rate(step: 200) == 0.001)
        #expect(schedule.rate(step: 400) == 0.002)
        #expect(schedule.rate(step: 1600) == 0.001)
    }

    @Test func `without warm-up the first step has the peak`() {
        #expect(LearningRateSchedule(peak: 0.5, warmup: 0).rate(step: 1) == 0.5)
        #expect(LearningRateSchedule(peak: 0.5, warmup: 0).rate(step: 4) == 0.25)
    }
}

@Suite struct NormTests {
    @Test(arguments: [0, 1, 7, 8, 31, 515, 100_003, blocksAndTail])
    func `the squared norm is the sum of squares`(count: Int) {
        let vector = sample(count, seed: 3)
        let expected = vector.floats().reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(squaredNorm(of: vector) - expected) <= 1e-7 * expected)
    }

    @Test func `lanes that share the blocks get the same bits`() async {
        let vector = sample(blocksAndTail, seed: 4)
        let norm = SquaredNorm(count: vector.count)
        #expect(norm.blockCount == 3)
        for _ in 0..<2 {
            await withTaskGroup(of: Void.self) { group in
                for blocks in [1..<3, 0..<1] { group.addTask { norm.set(blocks, of: vector) } }
            }
            #expect(norm.squared() == squaredNorm(of: vector))
            norm.reset()
            #expect(!norm.isComplete)
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `one bad element anywhere makes the norm not finite`(bad: Float) {
        for place in [0, 600, ParameterVector.blockCapacity + 5, blocksAndTail - 1] {
            let vector = sample(blocksAndTail, seed: 5)
            vector[place] = bad
            #expect(!squaredNorm(of: vector).isFinite)
        }
    }

    @Test func `the clip scale bounds the norm and leaves small gradients alone`() {
        #expect(clipScale(norm: 0.5, limit: 1) == 1)
        #expect(clipScale(norm: 4, limit: 1) == Float(1 / 4.000001))
        #expect(clipScale(norm: 1e9, limit: 0) == 1)
        #expect(clipScale(norm: 0, limit: 1) == 1)
    }
}

@Suite struct UpdateTests {
    /// Adam as in the paper, one element, in Double.
    private struct Reference {
        var parameter: Double
        var first = 0.0
        var second = 0.0

        mutating func update(_ gradient: Double, _ adam: AdamW, rate: Double, count: Int) {
            first = adam.beta1 * first + (1 - adam.beta1) * gradient
            second = adam.beta2 * second + (1 - adam.beta2) * gradient * gradient
            let mean = first / (1 - pow(adam.beta1, Double(count)))
            let variance = second / (1 - pow(adam.beta2, Double(count)))
            parameter -= rate * adam.weightDecay * parameter
            parameter -= rate * mean / (variance.squareRoot() + adam.epsilon)
        }
    }

    @Test(arguments: [0, 0.01])
    func `ten updates agree with Adam in Double`(weightDecay: Double) {
        let count = 1003
        let adam = AdamW(weightDecay: weightDecay)
        let state = TrainingState(parameters: sample(count, seed: 6))
        var references = state.parameters.floats().map { Reference(parameter: Double($0)) }
        for step in 1...10 {
            let total = sample(count, seed: UInt64(100 + step), size: pow(10, Float(-step)))
            let rate = LearningRateSchedule(peak: 0.01, warmup: 4).rate(step: step)
            state.update(total: total, adam: adam, scale: 0.25, rate: rate)
            for index in 0..<count {
                references[index].update(
                    0.25 * Double(total[index]), adam, rate: Double(rate), count: step)
            }
        }
        #expect(state.step == 10 && state.adamCount == 10)
        for index in 0..<count {
            #expect(abs(Double(state.parameters[index]) - references[index].parameter) < 5e-7)
            #expect(
                abs(Double(state.firstMoment[index]) - references[index].first) < 1e-7)
            #expect(
                abs(Double(state.secondMoment[index]) - references[index].second) < 1e-8)
        }
    }

    @Test func `split ranges give the bits of one range`() {
        let whole = TrainingState(parameters: sample(blocksAndTail, seed: 7))
        let split = TrainingState(parameters: sample(blocksAndTail, seed: 7))
        let block = ParameterVector.blockCapacity
        for step in 1...3 {
            let total = sample(blocksAndTail, seed: UInt64(step))
            whole.update(total: total, adam: AdamW(), scale: 0.7, rate: 0.01)
            for range in [2 * block..<blocksAndTail, 0..<block, block..<2 * block] {
                split.update(total: total, adam: AdamW(), scale: 0.7, rate: 0.01, range: range)
            }
            split.advance()
            #expect(split.digest() == whole.digest())
        }
    }

    @Test func `an element's place in a vector does not change its bits`() {
        let state = TrainingState(parameters: ParameterVector(count: 13))
        state.parameters.fill(0.3)
        let total = ParameterVector(count: 13)
        total.fill(0.123)
        for _ in 0..<3 { state.update(total: total, adam: AdamW(), scale: 0.9, rate: 0.01) }
        for vector in [state.parameters, state.firstMoment, state.secondMoment] {
            #expect(Set(vector.floats().map(\.bitPattern)).count == 1)
        }
    }

    @Test func `a skipped step advances the step and nothing else`() {
        let state = TrainingState(parameters: sample(100, seed: 8))
        state.update(total: sample(100, seed: 9), adam: AdamW(), scale: 1, rate: 0.01)
        let digest = state.digest()
        state.skip()
        #expect(state.step == 2 && state.adamCount == 1)
        #expect(state.digest() == digest)
        let other = TrainingState(parameters: sample(100, seed: 8))
        other.update(total: sample(100, seed: 9), adam: AdamW(), scale: 1, rate: 0.01)
        for each in [state, other] {
            each.update(total: sample(100, seed: 10), adam: AdamW(), scale: 1, rate: 0.01)
        }
        #expect(other.digest() == state.digest())
    }
}

@Suite struct StateDigestTests {
    @Test func `the digest tells a change in any of the three vectors, and their exchange`() {
        let (a, b, c) = (sample(50, seed: 1), sample(50, seed: 2), sample(50, seed: 3))
        func digest(_ p: ParameterVector, _ m: ParameterVector, _ v: ParameterVector)
            -> FastDigest
        {
            TrainingState(
                step: 5, adamCount: 4, parameters: p, firstMoment: m, secondMoment: v
            ).digest()
        }
        let digests = [digest(a, b, c), digest(b, a, c), digest(a, c, b), digest(a, b, b)]
        #expect(Set(digests).count == 4)
        #expect(digest(a, b, c) == digests[0])
    }

    @Test func `lanes may digest each block right after its update`() {
        let state = TrainingState(parameters: sample(blocksAndTail, seed: 7))
        let total = sample(blocksAndTail, seed: 1)
        let digest = StateDigest(count: state.count)
        for block in [2, 0, 1] {
            let blocks = block..<block + 1
            let range = state.parameters.elements(of: blocks)
            state.update(total: total, adam: AdamW(), scale: 1, rate: 0.01, range: range)
            digest.set(blocks, of: state)
        }
        state.advance()
        #expect(digest.isComplete)
        #expect(digest.digest() == state.digest())
    }
}

@Suite struct StatisticsTests {
    private let count = blocksAndTail
    private let trainable = ParameterVector.blockCapacity + 300

    private func state() -> TrainingState {
        TrainingState(parameters: sample(count, seed: 7), trainable: trainable)
    }

    @Test func `running statistics follow the total's, and the optimizer leaves them alone`() {
        let state = state()
        let before = state.parameters.floats()
        let total = sample(count, seed: 1)
        state.update(total: total, adam: AdamW(), scale: 0.5, rate: 0.01)
        for index in trainable..<count {
            let expected = 0.9 * before[index] + 0.1 * total[index]
            #expect(abs(state.parameters[index] - expected) < 1e-6)
        }
        #expect(state.firstMoment.floats(trainable..<count).allSatisfy { $0 == 0 })
        #expect(state.secondMoment.floats(trainable..<count).allSatisfy { $0 == 0 })
        let plain = TrainingState(parameters: sample(count, seed: 7))
        plain.update(total: total, adam: AdamW(), scale: 0.5, rate: 0.01)
        #expect(plain.parameters.floats(0..<trainable) == state.parameters.floats(0..<trainable))
    }

    @Test func `pieces, block by block or brought forward later, give the same bits`() {
        let total = sample(count, seed: 1)
        let (whole, pieces, late) = (state(), state(), state())
        whole.update(total: total, adam: AdamW(), scale: 1, rate: 0.01)
        for block in [2, 0, 1] {
            pieces.update(
                total: total, adam: AdamW(), scale: 1, rate: 0.01,
                range: pieces.parameters.elements(of: block..<block + 1))
        }
        let pass = AdamW().pass(count: 1, scale: 1, rate: 0.01)
        for start in stride(from: 0, to: count, by: 5000) {
            let range = start..<min(start + 5000, count)
            let piece = ParameterVector(count: 5000)
            piece.store(total.floats(range), at: 0)
            late.replay(pass, total: piece, range: range)
        }
        #expect(pieces.digest() == whole.digest() && late.digest() == whole.digest())
    }

    @Test func `the norm leaves statistics out, but not the verdict on what is no number`() {
        let vector = sample(count, seed: 3)
        let norm = squaredNorm(of: vector, trainable: trainable)
        let learned = ParameterVector(count: trainable)
        learned.store(vector.floats(0..<trainable), at: 0)
        #expect(abs(norm - squaredNorm(of: learned)) <= 1e-9 * norm)
        let shared = SquaredNorm(count: count)
        shared.set(0..<shared.blockCount, of: vector, trainable: trainable)
        #expect(shared.squared() == norm)
        for bad in [Float.nan, .infinity] {
            vector[count - 2] = bad
            #expect(!squaredNorm(of: vector, trainable: trainable).isFinite)
        }
    }
}
