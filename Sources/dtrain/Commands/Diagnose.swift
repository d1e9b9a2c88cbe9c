import ArgumentParser
import Measuring
import Processes
import Settings
import Words

struct Diagnose: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Finds out whether a worker on this host would work, and what is in the way.",
        discussion: """
            Looks at the way to the coordinator (name, route, port, handshake, token, version, \
            clock, round trip, bandwidth), at the ring's links between all workers that are there \
            and between them and this host, and at this host. Training goes on meanwhile. Each \
            line begins with ok, slow or bad; the exit code is 0 unless one is bad.

            EXAMPLES
              dtrain doctor --connect \(Address.standard) --token-file runs/two/token
              dtrain doctor --connect tcp://node1:5555 --ring-port 5556 --json
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Address of the coordinator.", valueName: "tcp://host:port"))
    var connect: String

    @OptionGroup var access: AccessOptions

    @OptionGroup(title: "Network, as for a worker here") var network: NetworkOptions

    @Flag(help: "A worker here would only connect outwards (worker --relay).")
    var relay = false

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let address = try access.coordinator(connect)
        let entrance = try access.access()
        var choices = try network.choices(isOpen: !address.isLoopback || access.insecure)
        choices.relay = relay
        try Entry.diagnose(address, entrance, network: choices, json: json)
    }
}

extension Entry {
    static func diagnose(
        _ coordinator: Address, _ access: Access, network: NetworkChoices, json: Bool
    ) throws {
        var findings: [Finding] = []
        var broken: (any Error)?
        let examination = Examination(
            coordinator, access, network: network, software: Dtrain.software
        ) { finding in
            findings.append(finding)
            guard !json, broken == nil else { return }
            do { try StandardOutput.write(line(of: finding)) } catch { broken = error }
        }
        try examination.run()
        if let broken { throw broken }
        let isWell = !findings.contains { $0.level == .bad }
        let links = findings.compactMap { if case .link(let link) = $0 { link } else { nil } }
        let conclusion = conclusion(isWell: isWell, findings, links)
        if json {
            try StandardOutput.write(
                json: Diagnosis(
                    ok: isWell, conclusion: conclusion, checks: findings.map(Diagnosis.Check.init)))
        } else {
            try StandardOutput.write(conclusion + "\n")
        }
        guard !isWell else { return }
        let code: Failure.Code = findings.contains(where: \.isAbsence) ? .unavailable : .other
        throw ExitCode(code.rawValue)
    }

    private static func line(of finding: Finding) -> String {
        let advice = finding.advice.map { ": \($0)" } ?? ""
        return "\(padded(finding.level.rawValue, 5)) \(padded(finding.check, 11)) "
            + "\(finding.sentence)\(advice)\n"
    }

    private static func conclusion(
        isWell: Bool, _ findings: [Finding], _ links: [Finding.Link]
    ) -> String {
        let verdict = isWell ? "a worker here would work" : "a worker here would not work"
        if let host = links.commonHost {
            let kind = isWell ? "slow" : "broken"
            return "\(verdict); all \(kind) links have an end on \(host)"
        }
        let slow = findings.filter { $0.level != .ok }.map(\.check)
        var seen: Set<String> = []
        let names = slow.filter { seen.insert($0).inserted }.joined(separator: ", ")
        return names.isEmpty ? verdict : "\(verdict); look at \(names) above"
    }
}

/// What `doctor --json` prints.
private struct Diagnosis: Encodable {
    struct Check: Encodable {
        let check: String
        let level: String
        let says: String
        let advice: String?
        let figures: [String: Double]
        let from: String?
        let to: String?

        init(_ finding: Finding) {
            check = finding.check
            level = finding.level.rawValue
            says = finding.sentence
            advice = finding.advice
            figures = finding.figures
            var ends: (String?, String?) = (nil, nil)
            if case .link(let link) = finding { ends = (link.from.shown, link.to.shown) }
            (from, to) = ends
        }
    }

    let ok: Bool
    let conclusion: String
    let checks: [Check]
}
