import Foundation
import Model
import Parameters
import Testing
import Training

/// A small model, and what it should generate when everything is computed anew at each step.
struct DecodingSample {
    let model: Transformer
    let parameters: ParameterVector
    let lane: Lane

    /// Weights so large that its choices vary.
    init(
        _ kind: Architecture.Kind, _ norm: Architecture.Norm, vocabulary: Int = 13,
        positions: Int = 64, seed: UInt64 = 1
    ) throws {
        try self.init(
            Architecture(
                kind: kind, norm: norm, activation: .gelu, dModel: 20, encoderLayers: 2,
                decoderLayers: 2, dFF: 28, heads: 2, vocabulary: vocabulary, positions: positions,
                dropout: 0.1), seed: seed)
    }

    init(_ architecture: Architecture, seed: UInt64 = 1) throws {
        model = try Transformer(architecture)
        parameters = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: seed)
        var state = seed
        for slot in model.layout.slots {
            // Gains of both signs: else tied embeddings make it repeat what it is fed.
            let isGain = slot.name.hasSuffix("norm.weight")
            let isVariance = slot.name.hasSuffix("running_var")
            // Without norms nothing tames what they add up to.
            let size: Float = architecture.norm == .none ? 0.15 : 0.4
            for index in slot.range {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let noise = Float(state >> 40) / Float(1 << 23) - 1
                parameters[index] = isGain ? 2 * noise : parameters[index] + size * noise
                if isVariance { parameters[index] = 1 + size * noise }
            }
        }
        lane = Lane(model)
    }

    /// log p of what follows `words`, for every id.
    func next(_ source: [Int32], _ words: [Int32]) -> [Double] {
        let fed = [1] + words
        let input = ModelInput(
            source: Sequences(model.architecture.kind == .languageModel ? [] : [source]),
            decoder: Sequences([fed]), labels: [Int32](repeating: 2, count: fed.count))
        let logits = lane.logits(of: input, parameters: parameters)[fed.count - 1].map(Double.init)
        let normaliser = log(logits.reduce(0) { $0 + exp($1) })
        return logits.map { $0 - normaliser }
    }

    func greedy(_ source: [Int32], from prompt: [Int32] = [], limit: Int) -> [Int32] {
        var words: [Int32] = []
        while words.count < limit {
            let ranked = next(source, prompt + words)
            let best = (2..<ranked.count).max { (ranked[$0], $1) < (ranked[$1], $0) } ?? 2
            guard best != 2 else { break }
            words.append(Int32(best))
        }
        return words
    }

    /// Beam search that computes everything anew at each step and keeps all finished outputs.
    func beam(_ source: [Int32], width: Int, limit: Int) -> [Int32] {
        var live: [([Int32], Double)] = [([], 0)]
        var finished: [([Int32], Double)] = []
        while finished.count < width && !live.isEmpty {
            var candidates: [([Int32], Double)] = []
            for (words, sum) in live {
                for (id, logProbability) in next(source, words).enumerated().dropFirst(2)
                where words.count < limit || id == 2 {
                    candidates.append((words + [Int32(id)], sum + logProbability))
                }
            }
            candidates.sort { $0.1 > $1.1 }
            for (words, sum) in candidates.prefix(width) where words.last == 2 {
                finished.append((words.dropLast(), sum / penalty(words.count)))
            }
            live = Array(
                candidates.prefix(2 * width).filter { $0.0.last != 2 }.prefix(width))
            let bound = (live.first?.1 ?? 0) / penalty(limit + 1)
            if finished.contains(where: { $0.1 >= bound }) { break }
        }
        return finished.max { $0.1 < $1.1 }?.0 ?? []
    }

    func score(_ source: [Int32], _ words: [Int32]) -> Double {
        let output = words + [2]
        let sum = output.indices.reduce(0.0) { sum, place in
            sum + next(source, Array(output[..<place]))[Int(output[place])]
        }
        return sum / penalty(output.count)
    }

    private func penalty(_ count: Int) -> Double { pow(Double(5 + count) / 6, 0.6) }
}

extension DecodingSample {
    typealias Pair = (source: [Int32], target: [Int32])

    /// Sources of 1 to 6 words from 8 and the same words backwards, the same on every run.
    static func pairs(_ count: Int, seed: UInt64) -> [Pair] {
        var state = seed
        func next(_ bound: UInt64) -> Int32 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int32((state >> 33) % bound)
        }
        return (0..<count).map { _ in
            let words = (0...next(6)).map { _ in 4 + next(8) }
            return (words + [2], words.reversed())
        }
    }

    private static func input(_ pairs: [Pair]) -> ModelInput {
        ModelInput(
            source: Sequences(pairs.map(\.source)),
            decoder: Sequences(pairs.map { [1] + $0.target }),
            labels: pairs.flatMap { $0.target + [2] })
    }

    /// Trained for so many steps to say `pairs` backwards.
    init(trained steps: Int, _ norm: Architecture.Norm) throws {
        model = try Transformer(
            Architecture(
                kind: .encoderDecoder, norm: norm, activation: .relu, dModel: 32,
                encoderLayers: 1, decoderLayers: 1, dFF: 64, heads: 4, vocabulary: 12,
                positions: 32, dropout: 0))
        lane = Lane(model)
        parameters = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: 1)
        let state = TrainingState(parameters: parameters)
        let gradient = ParameterVector(count: model.layout.count)
        let schedule = LearningRateSchedule(peak: 0.01, warmup: 50)
        for step in 1...steps {
            let batch = Self.input(Self.pairs(48, seed: UInt64(step)))
            _ = lane.gradient(
                of: batch, parameters: parameters, into: gradient,
                labelCount: batch.labels.count, smoothing: 0.05,
                key: DropoutKey(seed: 1, step: step, shard: 0), finished: { _ in })
            let norm = squaredNorm(of: gradient).squareRoot()
            state.update(
                total: gradient, adam: AdamW(), scale: clipScale(norm: norm, limit: 1),
                rate: schedule.rate(step: step))
        }
    }
}
