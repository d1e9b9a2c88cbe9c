import Foundation
import TestKit
import Testing

@Suite("The place that an engine gives a worker")
struct EngineTests {
    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
    }

    private func run(_ line: String, _ environment: [String: String]) throws -> Program.Outcome {
        try program.run(
            line.split(separator: " ").map(String.init), in: folder.url, environment: environment)
    }

    private static let contact = "OMPI_MCA_orte_hnp_uri"

    /// Nobody listens there: the worker names the address at which no coordinator came.
    @Test(arguments: [
        ("slurm --port 1", ["SLURM_LAUNCH_NODE_IPADDR": "127.0.0.7"], "tcp://127.0.0.7:1 "),
        ("slurm", ["SLURM_LAUNCH_NODE_IPADDR": "127.0.0.7"], "tcp://127.0.0.7:5555 "),
        (
            "mpi --port 1", [contact: "12.0;tcp://127.0.0.8,10.0.0.1:4711"], "tcp://127.0.0.8:1 "
        ),
        ("mpi --port 1", [contact: "12.0;tcp6://[::1]:4711"], "tcp://[::1]:1 "),
        (
            "kubernetes",
            [
                "KUBERNETES_SERVICE_HOST": "10.0.0.1", "DTRAIN_COORDINATOR_SERVICE_PORT": "2",
                "DTRAIN_COORDINATOR_SERVICE_HOST": "127.0.0.9",
            ], "tcp://127.0.0.9:2 "
        ),
    ])
    func `is where the worker connects`(
        engine: String, environment: [String: String], address: String
    ) throws {
        let outcome = try run("worker --insecure --wait 1ms --from \(engine)", environment)
        #expect(outcome.code == 69, "\(outcome.errors)")
        let last = outcome.errorLines.last ?? ""
        #expect(last.hasPrefix("dtrain: no coordinator came at \(address)"), "\(outcome.errors)")
    }

    @Test(arguments: [
        ("worker --from pbs", [:], "slurm, mpi or kubernetes"),
        ("worker --from slurm", [:], "no SLURM_LAUNCH_NODE_IPADDR"),
        ("worker --from mpi", [:], "no OMPI_MCA_orte_hnp_uri"),
        ("worker --from kubernetes", [:], "no KUBERNETES_SERVICE_HOST"),
        ("worker --from mpi", [contact: "12.0;usock;"], "names no tcp address"),
        ("worker --from mpi", [contact: "12.0;tcp:"], "names no tcp address"),
        ("worker --from mpi", [contact: "tcp://:5"], "names no tcp address"),
        ("worker --from slurm", ["SLURM_LAUNCH_NODE_IPADDR": "a b"], "is 'a b', no host"),
        (
            "worker --from slurm",
            ["SLURM_LAUNCH_NODE_IPADDR": "127.0.0.1", "SLURM_CPUS_PER_TASK": "0"],
            "SLURM_CPUS_PER_TASK is '0'"
        ),
        ("worker --from slurm --connect tcp://127.0.0.1:1", slurm, "exclude each other"),
        ("worker --from slurm --port 0", slurm, "--port 0 is out of range"),
        ("worker --port 5 --connect tcp://127.0.0.1:1", [:], "--port needs --from"),
        ("worker", slurm, "--connect is missing"),
    ])
    func `is refused in one sentence where it is not told`(
        line: String, environment: [String: String], words: String
    ) throws {
        expectRefusal(try run(line, environment), code: 64, words: [words])
    }

    private static let slurm = ["SLURM_LAUNCH_NODE_IPADDR": "127.0.0.1"]
}
