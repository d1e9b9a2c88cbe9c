/// Runs a whole training with toy arithmetic and the real state machines, under faults drawn from
/// a seed.
package enum Simulator {
    /// The outcome of a simulated run.
    package struct Report: Sendable {
        /// The seed from which all follows.
        package let seed: UInt64
        /// The first thing that must not have happened; nil if nothing did.
        package let violation: String?
        /// The moment when the run was finished, in seconds of its own clock.
        package let seconds: Double
        /// Number of coordinators that have lived, one after another.
        package let coordinators: Int
        /// Number of faults in the plan.
        package let faults: Int
        /// Spans of workers that the coordinator reckoned rightly, within the error that it states.
        package let spans: Int
        /// How often each rare branch was met.
        package let met: [RareBranch: Int]
        /// Everything that was said and done, if asked for.
        package let trace: [String]
    }

    /// From so many seeds on each rare branch must have been met.
    package static let campaign = 2_000

    /// The same seed gives the same run, event by event.
    package static func run(
        seed: UInt64, canary: Canary? = nil, tracing: Bool = false
    ) -> Report {
        let plan = Plan(seed: seed, canary: canary)
        let world = World(plan, tracing: tracing)
        world.run()
        return Report(
            seed: seed, violation: world.audit.violation, seconds: Double(world.now) * 1e-6,
            coordinators: world.coordinator.life, faults: plan.faults.count,
            spans: world.audit.spansSeen, met: world.met, trace: world.lines)
    }
}
