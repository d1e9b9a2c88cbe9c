import Model
import Parameters
import Text
import Training

/// Where a lane's time goes, primitive by primitive, on the shards of a batch.
package struct StepProfile: Sendable {
    package struct Row: Encodable, Sendable {
        package var primitive: String
        package var milliseconds: Double
        package var calls: Int
        /// Of products; 0 for primitives that only move numbers.
        package var gigaflops: Double
        package var gigabytesPerSecond: Double
        package var share: Double

        enum CodingKeys: String, CodingKey {
            case primitive, calls, share
            case gigaflops = "gflops"
            case milliseconds = "ms"
            case gigabytesPerSecond = "GBs"
        }
    }

    /// The slowest first; times are a lane's processor time for the whole batch.
    package let rows: [Row]

    /// Computes the batch on one lane, once to warm up and `repeats` times to measure.
    static func measure(
        _ model: Transformer, _ batch: Batch, _ arithmetic: StepArithmetic, repeats: Int = 3
    ) -> StepProfile {
        let parameters = ParameterVector(count: model.layout.count)
        let gradient = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: arithmetic.seed, arithmetic.initialisation)
        let profile = Profile()
        let lane = Lane(model, profile: profile)
        for round in 0...repeats {
            if round == 1 { profile.reset() }
            for (index, shard) in batch.shards.enumerated() {
                _ = arithmetic.gradient(
                    of: ModelInput(shard), shard: index, step: round, labels: batch.labels,
                    parameters: parameters, into: gradient, on: lane)
            }
        }
        return StepProfile(profile, repeats: repeats)
    }

    private init(_ profile: Profile, repeats: Int) {
        let all = Profile.Kind.allCases.map { ($0, profile[$0]) }.filter { $0.1.calls > 0 }
        let sum = all.reduce(0.0) { $0 + Double($1.1.nanoseconds) }
        rows = all.map { kind, entry in
            let nanoseconds = max(1, Double(entry.nanoseconds))
            return Row(
                primitive: "\(kind)", milliseconds: nanoseconds * 1e-6 / Double(repeats),
                calls: entry.calls / repeats, gigaflops: Double(entry.operations) / nanoseconds,
                gigabytesPerSecond: Double(entry.bytes) / nanoseconds, share: nanoseconds / sum)
        }
        .sorted { $0.milliseconds > $1.milliseconds }
    }
}
