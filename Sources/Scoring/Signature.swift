/// What must be known to repeat a score, as sacreBLEU writes it.
///
///     nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0
package struct Signature: Sendable, Hashable {
    /// Of the sacreBLEU whose numbers these are.
    package static let version = "2.6.0"

    /// The signature in sacreBLEU's long form.
    package let text: String

    /// - Parameters:
    ///   - references: how many each line has.
    ///   - resampling: if the score stands beside what a bootstrap says.
    package init(_ metric: any Metric, references: Int, resampling: Resampling? = nil) {
        var parts = [("nrefs", String(references))]
        if let resampling {
            parts += [("bs", String(resampling.resamples)), ("seed", String(resampling.seed))]
        }
        parts += metric.traits.map { ($0.key, $0.value) }
        parts.append(("version", Self.version))
        text = parts.map { "\($0.0):\($0.1)" }.joined(separator: "|")
    }
}
