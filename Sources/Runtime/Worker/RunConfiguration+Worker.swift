extension RunConfiguration {
    /// Whether workers of one host sum each other's gradients where they lie.
    var sumsInPlace: Bool {
        collective == .fold && !secure && shards <= VectorBoard.places
            && (transport == .auto || transport == .shared)
    }
}
