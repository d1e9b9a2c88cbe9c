import Foundation
import Measuring
import Messaging
import Processes

extension Finding {
    /// What was looked at, in a word.
    package var check: String {
        switch self {
        case .name, .nameUnknown: "name"
        case .route, .noRoute: "route"
        case .port, .portClosed: "port"
        case .handshake, .handshakeFailed: "handshake"
        case .version, .otherVersion: "version"
        case .clock: "clock"
        case .roundTrip: "round trip"
        case .bandwidth: "bandwidth"
        case .link, .relayed, .noWorkers, .cannotListen: "link"
        case .files: "files"
        case .memory: "memory"
        case .processor: "processor"
        case .arithmetic, .otherArithmetic: "arithmetic"
        }
    }

    /// What was found.
    package var sentence: String {
        switch self {
        case .name(let host, let addresses):
            let found = addresses.map(\.description).joined(separator: ", ")
            return found == host ? host : "\(host) is \(found)"
        case .nameUnknown(let host, let reason): return "\(host) leads nowhere (\(reason))"
        case .route(let address, let source, let interface):
            return "to \(address) from \(source), by \(interface)"
        case .noRoute(let address): return "there is no route to \(address)"
        case .port(let address, let port, let seconds):
            return "\(address) port \(port) accepts in \(milliseconds(seconds))"
        case .portClosed(let address, let port, let code):
            return "\(address) port \(port) \(obstacle(code))"
        case .handshake(let encrypted):
            return encrypted ? "encrypted, the token is the run's" : "plain text"
        case .handshakeFailed(let failure): return Failure(failure).found
        case .version(let software): return "\(software) on both sides"
        case .otherVersion(let theirs, let ours):
            return "the coordinator is \(theirs), this program \(ours)"
        case .clock(let ahead, let uncertainty):
            return "the coordinator's is \(milliseconds(abs(ahead))) "
                + "\(ahead < 0 ? "behind" : "ahead") (± \(milliseconds(uncertainty)))"
        case .roundTrip(let median, let longest):
            return "\(milliseconds(median)) to the coordinator's loop and back, at most "
                + milliseconds(longest)
        case .bandwidth(let there, let back):
            return "\(rate(there)) to the coordinator, \(rate(back)) from it"
        case .link(let link): return link.sentence
        case .relayed(let end): return "\(end.shown) --relay: through the coordinator"
        case .noWorkers: return "no worker is there yet, so no link could be tried"
        case .cannotListen(let error): return Failure(thrown: error).found
        case .files, .memory, .processor, .arithmetic, .otherArithmetic: return sentenceOfHost
        }
    }

    private var sentenceOfHost: String {
        switch self {
        case .files(let limit):
            return "\(grouped(limit)) open at once (ulimit -n)"
        case .memory(let available, let needed):
            let need = needed.map { ", a worker's vectors take \(grouped($0 / 1_000_000)) MB" }
            return "\(grouped(available / 1_000_000)) MB available\(need ?? "")"
        case .processor(let missing, let cores):
            return missing.map { "it lacks \($0)" }
                ?? "\(cores) core\(cores == 1 ? "" : "s") with all that is needed"
        case .arithmetic(let kernel): return "\(kernel), the same bits as the workers"
        case .otherArithmetic(let worker, let kernel, let ours):
            return "\(worker) computes other bits (\(kernel) there, \(ours) here)"
        default: return ""
        }
    }

    /// What to change; nil where all is well.
    package var advice: String? {
        switch self {
        case .nameUnknown: "add it to DNS or /etc/hosts, or give an address"
        case .noRoute: "connect the networks, or give another of the coordinator's addresses"
        case .portClosed(_, let port, let code):
            code == refused
                ? "start the coordinator there, with --bind to an address that this host reaches"
                : "let port \(port) through the firewalls between"
        case .handshakeFailed(let failure): Failure(failure).change
        case .otherVersion: "use the same build"
        case .clock where level != .ok: "set it by NTP, or the times in logs won't match"
        case .bandwidth where level != .ok: "joining takes long on such a link"
        case .link(let link): link.advice
        case .cannotListen(let error): Failure(thrown: error).change
        case .files where level != .ok: "ulimit -n 1024"
        case .memory where level != .ok: "free some, take a smaller model or more workers"
        case .processor(.some, _): "run dtrain on another host"
        case .otherArithmetic: "install the same build (cluster/install)"
        default: nil
        }
    }

    /// What can be compared, by unit.
    package var figures: [String: Double] {
        switch self {
        case .port(_, _, let seconds): ["ms": 1e3 * seconds]
        case .clock(let ahead, let uncertainty):
            ["ahead_ms": 1e3 * ahead, "uncertainty_ms": 1e3 * uncertainty]
        case .roundTrip(let median, let longest): ["ms": 1e3 * median, "longest_ms": 1e3 * longest]
        case .bandwidth(let there, let back):
            ["there_mbit_s": 8e-6 * there, "back_mbit_s": 8e-6 * back]
        case .link(let link): link.figures
        case .files(let limit): ["limit": Double(limit)]
        case .memory(let available, let needed):
            ["available_mb": 1e-6 * Double(available)].merging(
                needed.map { ["needed_mb": 1e-6 * Double($0)] } ?? [:]
            ) { $1 }
        case .processor(_, let cores): ["cores": Double(cores)]
        default: [:]
        }
    }
}

extension Finding.Link.End {
    /// `w1 on host`.
    package var shown: String { name.isEmpty ? "here" : "\(name) on \(host)" }
}

extension Finding.Link {
    var sentence: String {
        let way = "\(from.shown) to \(to.shown)"
        guard report.code == 0 else {
            return "\(way): \(endpoint.dropFirst(6)) \(obstacle(report.code))"
        }
        let words = "\(way): \(milliseconds(report.seconds))"
        if isWithinHost { return words + ", one host" }
        if report.rate > 0 {
            let fold = foldSeconds.map { ", a step's sums take \(milliseconds($0))" } ?? ""
            return "\(words), \(rate(report.rate))\(fold)"
        }
        return report.rateCode == 0
            ? words : words + ", its rate could not be measured (the port for that is closed)"
    }

    var advice: String? {
        if report.code != 0 {
            let port = endpoint.split(separator: ":").last.map(String.init) ?? "?"
            let host = to.name.isEmpty ? "this host" : to.host
            return switch report.code {
            case refused: "nobody listens: \(host) is found at a wrong address, give --advertise"
            case -1: "the name leads nowhere there, give --advertise an address"
            default:
                "let port \(port) through to \(host), fix one by --ring-port, or start the worker "
                    + "there with --relay"
            }
        }
        return isSlow
            ? "give it a faster link, leave that host out, or train with --wire int8" : nil
    }

    var figures: [String: Double] {
        guard report.code == 0 else { return ["errno": Double(report.code)] }
        var figures = ["ms": 1e3 * report.seconds]
        if report.rate > 0 { figures["mbit_s"] = 8e-6 * report.rate }
        if let foldSeconds { figures["fold_ms"] = 1e3 * foldSeconds }
        return figures
    }
}

extension Failure {
    /// The colon behind which the sentence says what to do; those in addresses have no blank.
    private var turn: Range<String.Index>? { sentence.range(of: ": ", options: .backwards) }

    fileprivate var found: String { turn.map { String(sentence[..<$0.lowerBound]) } ?? sentence }
    fileprivate var change: String? { turn.map { String(sentence[$0.upperBound...]) } }
}

/// ECONNREFUSED.
private let refused: Int32 = 111

private func obstacle(_ code: Int32) -> String {
    switch code {
    case refused: "refuses connections"
    case 110: "does not answer"
    case -1: "is no address"
    default: "cannot be reached (\(reason(code)))"
    }
}

private func milliseconds(_ seconds: Double) -> String {
    let value = 1e3 * seconds
    return value < 1000
        ? "\(fixed(value, value < 10 ? 2 : 0)) ms" : "\(fixed(seconds, seconds < 100 ? 1 : 0)) s"
}

func rate(_ bytes: Double) -> String {
    let megabits = 8e-6 * bytes
    return megabits < 1000
        ? "\(fixed(megabits, megabits < 100 ? 1 : 0)) Mbit/s"
        : "\(fixed(megabits / 1000, 1)) Gbit/s"
}
