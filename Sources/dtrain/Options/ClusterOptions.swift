import ArgumentParser
import Runtime

/// Who computes; none of it changes a number, except that `--collective ring` sums in its own order
/// and `--wire` rounds.
struct ClusterOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: about(.workers, "Workers to start with; at most --shards.", "n"))
    var workers: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .threads, "Threads of each worker. (default: the cores divided by --workers)", "n"))
    var threads: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .bind,
            "Where workers connect. (default: a free port; coordinator: \(Address.standard))",
            "tcp://host:port"))
    var bind: String?

    @Flag(
        help: """
            Neither encrypt nor ask for the token: anybody on the network can read, alter and \
            join. (default: false)
            """)
    var insecure = false

    @Flag(
        help: """
            Encrypt gradients within a host too, over tcp instead of shared memory. (default: \
            false)
            """)
    var secure = false

    @Flag(
        help:
            "Start only when all --workers have joined, not 10 s after the first. (default: false)")
    var waitForAll = false

    @Flag(
        inversion: .prefixedNo,
        help:
            "Give slower workers fewer shards, by measured speed; the bits stay the same. (default: true)"
    )
    var balance: Bool?

    @Option(
        parsing: .unconditional,
        help: about(
            .collective, "How gradients are summed: in shard order, or as the textbook ring.",
            "fold|ring"))
    var collective: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .transport, "Links of the ring; auto is shared memory within a host and tcp otherwise.",
            "auto|shared|ipc|tcp"))
    var transport: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .wire,
            "What sums of gradients are rounded to at every shard: fewer bytes on slow links.",
            "f32|bf16|int8"))
    var wire: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .peerTimeout, "Silence after which a worker counts as lost; other waits follow it.",
            "time"))
    var peerTimeout: String?

    var given: GivenSettings {
        var given = GivenSettings()
        given.set(.workers, workers)
        given.set(.threads, threads)
        given.set(.bind, bind)
        given.set(.insecure, insecure ? "true" : nil)
        given.set(.secure, secure ? "true" : nil)
        given.set(.waitForAll, waitForAll ? "true" : nil)
        given.set(.balance, balance.map(String.init))
        given.set(.collective, collective)
        given.set(.transport, transport)
        given.set(.wire, wire)
        given.set(.peerTimeout, peerTimeout)
        return given
    }
}
