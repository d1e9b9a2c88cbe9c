/// What a metric says of a text.
package struct Score: Sendable, Hashable {
    /// 0 to 100; more than 100 only of TER.
    package let value: Double

    /// Whether sacreBLEU holds the value in 32 bits, and so computes with it from there on.
    let isSinglePrecision: Bool

    /// Of BLEU only.
    package let details: BLEU.Details?

    init(_ value: Double, isSinglePrecision: Bool = false, details: BLEU.Details? = nil) {
        self.value = value
        self.isSinglePrecision = isSinglePrecision
        self.details = details
    }
}
