import ArgumentParser
import Foundation
import Resources
import Settings
import Words

/// What started a worker and says in the environment where its coordinator is.
enum Engine: String, CaseIterable {
    case slurm, mpi, kubernetes
}

/// A worker's place as its engine tells it.
struct EnginePlace: Equatable {
    let coordinator: Address
    /// Nil where the engine does not say.
    var threads: Int?
}

/// `--from`: the environment is read only then.
struct EngineOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            Take the coordinator's host and the threads from the environment of what started \
            this worker, instead of --connect: srun's launching node; mpirun's node, in Open MPI; \
            the Service dtrain-coordinator.
            """, valueName: "slurm|mpi|kubernetes"),
        completion: .list(Engine.allCases.map(\.rawValue)))
    var from: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Port of the coordinator, with --from. (default: \(Address.standard.port))",
            valueName: "port"))
    var port: String?

    /// Nil without `--from`. Throws a usage failure where the engine's environment is not there.
    func place(
        in environment: [String: String], cores: EngineCores = .here
    ) throws(Failure) -> EnginePlace? {
        guard let from else {
            if port != nil { throw .usage(.portWithoutEngine) }
            return nil
        }
        guard let engine = Engine(rawValue: from) else {
            throw .usage(.takes("--from", .engine, not: from))
        }
        let environment = EngineEnvironment(engine: engine, variables: environment)
        var place: EnginePlace
        switch engine {
        case .slurm: place = try environment.slurm()
        case .mpi: place = try environment.mpi(cores)
        case .kubernetes: place = try environment.kubernetes()
        }
        if let port {
            place = EnginePlace(
                coordinator: Address(
                    host: place.coordinator.host, port: try whole("--port", port, 1...65_535)),
                threads: place.threads)
        }
        return place
    }
}

/// Processors of the host, and those that this process may use.
struct EngineCores {
    let online: Int
    let usable: Int

    static var here: EngineCores {
        EngineCores(
            online: Processors.usable.online,
            usable: Processors.usable.count)
    }
}

/// What the engines set, as their manuals say it: srun(1) "OUTPUT ENVIRONMENT VARIABLES", Open MPI's
/// FAQ "environment variables" and ORTE's contact URI, Kubernetes' "Discovering services".
private struct EngineEnvironment {
    let engine: Engine
    let variables: [String: String]

    func slurm() throws(Failure) -> EnginePlace {
        let host = try value("SLURM_LAUNCH_NODE_IPADDR", "start it by srun")
        return EnginePlace(
            coordinator: try address(host, "SLURM_LAUNCH_NODE_IPADDR"),
            threads: try count("SLURM_CPUS_PER_TASK"))
    }

    /// The contact is `JOB;tcp://ADDRESS,ADDRESS:PORT;…` with that of mpirun itself.
    ///
    /// Ranks that are not bound to cores share those of their host.
    func mpi(_ cores: EngineCores) throws(Failure) -> EnginePlace {
        let name = "OMPI_MCA_orte_hnp_uri"
        let contact = try value(name, "start it by Open MPI's mpirun, or give --connect")
        guard let url = contact.split(separator: ";").first(where: { $0.hasPrefix("tcp") }),
            let start = url.range(of: "://")?.upperBound, let end = url.lastIndex(of: ":"),
            start <= end,
            let host = url[start..<end].split(separator: ",").first
        else {
            throw .usage(.variableNoAddress(name, contact))
        }
        let ranks = try count("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1
        return EnginePlace(
            coordinator: try address(host.trimmingCharacters(in: ["[", "]"]), name),
            threads: max(1, min(cores.usable, cores.online / ranks)))
    }

    /// A headless Service has no variables, only its name.
    func kubernetes() throws(Failure) -> EnginePlace {
        _ = try value("KUBERNETES_SERVICE_HOST", "start it in a pod")
        let service = "DTRAIN_COORDINATOR_SERVICE"
        let host = variables["\(service)_HOST"] ?? "dtrain-coordinator"
        let place = EnginePlace(coordinator: try address(host, "\(service)_HOST"))
        guard let port = try count("\(service)_PORT", 1...65_535) else { return place }
        return EnginePlace(coordinator: Address(host: place.coordinator.host, port: port))
    }

    private func value(_ name: String, _ advice: String) throws(Failure) -> String {
        guard let value = variables[name], !value.isEmpty else {
            throw .usage(.variableMissing(name, engine: "\(engine)", advice: advice))
        }
        return value
    }

    private func count(
        _ name: String, _ range: ClosedRange<Int> = 1...1024
    ) throws(Failure) -> Int? {
        guard let text = variables[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .usage(.variableNoNumber(name, text, engine: "\(engine)"))
        }
        return value
    }

    private func address(_ host: String, _ name: String) throws(Failure) -> Address {
        let address = Address(host: host, port: Address.standard.port)
        guard Address(address.description) == address else {
            throw .usage(.variableNoHost(name, host, engine: "\(engine)"))
        }
        return address
    }
}
