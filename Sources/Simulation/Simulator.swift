/// Runs a whole training with toy arithmetic and the real state machines, under faults drawn from
/// a seed.
package enum Simulator {
    package struct Report: Sendable {
        package let seed: UInt64
        /// What must not have happened; nil if nothing did.
        package let violation: String?
        /// When the run was finished, in seconds of its own clock.
        package let seconds: Double
        package let coordinators: Int
        package let faults: Int
        /// Everything that was said and done, if asked for.
        package let trace: [String]
    }

    /// The same seed gives the same run, event by event.
    package static func run(
        seed: UInt64, canary: Canary? = nil, tracing: Bool = false
    ) -> Report {
        let plan = Plan(seed: seed, canary: canary)
        let world = World(plan, tracing: tracing)
        world.run()
        return Report(
            seed: seed, violation: world.audit.violation, seconds: Double(world.now) * 1e-6,
            coordinators: world.coordinator.life, faults: plan.faults.count, trace: world.lines)
    }
}
