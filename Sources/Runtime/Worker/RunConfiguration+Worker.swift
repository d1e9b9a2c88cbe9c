import Training

extension StepRunner.Settings {
    init(_ configuration: RunConfiguration) {
        self.init(
            seed: configuration.seed, initialisation: configuration.initialisation,
            labelSmoothing: Float(configuration.labelSmoothing),
            clipNorm: Float(configuration.clipNorm),
            adam: AdamW(weightDecay: configuration.weightDecay))
    }
}

extension RunConfiguration {
    /// Whether workers of one host sum each other's gradients where they lie.
    var sumsInPlace: Bool {
        collective == .fold && !secure && shards <= VectorBoard.places
            && (transport == .auto || transport == .shared)
    }
}
