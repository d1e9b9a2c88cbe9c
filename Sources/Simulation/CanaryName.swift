extension Canary {
    /// The name as it is typed: `counts-stale-frames`.
    package var name: String {
        "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : "\($1)" }
    }

    /// The names of all canaries, for help and for errors.
    package static var names: [String] { allCases.map(\.name) }

    /// Reads what `name` says; nil for any other word.
    package init?(name: String) {
        guard let canary = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = canary
    }
}
