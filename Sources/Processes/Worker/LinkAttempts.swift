import Glibc
import Messaging
import Resources
import Settings
import Wire

extension LinkAttempt {
    private static let patience = Duration.seconds(3)

    /// Knocks at the ring's port, then measures if there is a port for that; may take half a minute.
    package func carriedOut() -> LinkReport {
        guard let address = Address(endpoint), address.port > 0,
            let hosts = try? address.candidates()
        else { return LinkReport(code: -1) }
        var report = LinkReport()
        for host in hosts {
            do throws(LinkTrial.Failure) {
                report.seconds = try LinkTrial.knock(
                    host, port: address.port, patience: Self.patience)
                report.code = 0
                measure(host, &report)
                return report
            } catch {
                report.code = error.code
            }
        }
        return report
    }

    private func measure(_ host: IPAddress, _ report: inout LinkReport) {
        guard port > 0 else { return }
        do throws(LinkTrial.Failure) {
            report.rate = try LinkTrial.rate(
                host, port: port, number: number, patience: Self.patience)
        } catch {
            report.rateCode = error.code
        }
    }
}

/// What a worker does for `doctor`, on threads of their own; training goes on meanwhile.
struct LinkAttempts {
    private let addresses: [IPAddress]
    /// Where the firewall is open for a range, it is open for this.
    private let ports: ClosedRange<Int>?
    /// Takes a thread's last word, which may be an answer.
    private let post: @Sendable (LinkMessage?) -> Void
    private var threads = 0

    /// Threads for this at once.
    private static let limit = 4

    init(
        _ network: NetworkChoices, listening addresses: [IPAddress],
        post: @escaping @Sendable (LinkMessage?) -> Void
    ) {
        self.addresses = addresses
        ports = network.ringPorts.flatMap { $0.count > 1 ? $0 : nil }
        self.post = post
    }

    /// Begins what is asked for.
    ///
    /// - Returns: what can be said at once.
    mutating func take(_ bytes: [UInt8]) -> LinkMessage? {
        switch try? LinkMessage(decoding: bytes) {
        case .listen(let number): listen(number)
        case .attempt(let attempt): carryOut(attempt)
        default: nil
        }
    }

    /// A thread has ended.
    mutating func ended() { threads -= 1 }

    private mutating func listen(_ number: UInt64) -> LinkMessage {
        guard threads < Self.limit,
            let listener = try? LinkListener(addresses, ports: ports, number: number)
        else { return .listening(number: number, port: 0) }
        let post = post
        _ = start {
            listener.serve(until: .now + .seconds(20))
            post(nil)
        }
        return .listening(number: number, port: listener.port)
    }

    private mutating func carryOut(_ attempt: LinkAttempt) -> LinkMessage? {
        let number = attempt.number
        guard threads < Self.limit else { return .attempted(number: number, LinkReport(code: -1)) }
        let post = post
        let isStarted = start { post(.attempted(number: number, attempt.carriedOut())) }
        return isStarted ? nil : .attempted(number: number, LinkReport(code: EAGAIN))
    }

    /// On a thread of its own; false where the system refuses one.
    private mutating func start(_ run: @escaping @Sendable () -> Void) -> Bool {
        do throws(ResourceError) {
            try startThread("link trial", run)
        } catch {
            return false
        }
        threads += 1
        return true
    }
}
