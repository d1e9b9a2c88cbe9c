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
