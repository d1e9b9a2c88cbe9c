/// What `doctor` needs to know of a run.
struct RunFacts: Codable, Sendable {
    struct Worker: Codable, Sendable {
        var name: String
        var host: String
        /// Workers with equal keys share a host.
        var hostKey: String
        /// Where its ring listens; the host `*` is the coordinator's.
        var ring: String
        var kernel: String
        var arithmetic: String
    }

    var software: String
    var parameters: Int
    var shards: Int
    var workers: [Worker]
}
