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

/// What a worker does for `doctor`; training goes on meanwhile.
extension WorkerProcess {
    /// Threads for this at once.
    private static let trialLimit = 4

    func takeLink(_ bytes: [UInt8]) {
        guard let message = try? LinkMessage(decoding: bytes) else { return }
        switch message {
        case .listen(let number): listen(number)
        case .attempt(let attempt):
            let number = attempt.number
            guard beginTrial() else {
                let report = LinkReport(code: -1)
                return control.post(LinkMessage.attempted(number: number, report).encoded)
            }
            let mailbox = mailbox
            startTrial(or: .attempted(number: number, LinkReport(code: EAGAIN))) {
                let report = attempt.carriedOut()
                mailbox.post(.tried(.attempted(number: number, report)))
            }
        case .listening, .attempted: break
        }
    }

    private func beginTrial() -> Bool {
        guard trials < Self.trialLimit else { return false }
        trials += 1
        return true
    }

    /// A thread has ended, perhaps with something to say.
    func ended(_ message: LinkMessage?) {
        trials -= 1
        if let message { control.post(message.encoded) }
    }

    private func listen(_ number: UInt64) {
        // Where the firewall is open for a range, it is open for this.
        let ports = options.network.ringPorts.flatMap { $0.count > 1 ? $0 : nil }
        guard beginTrial() else {
            return control.post(LinkMessage.listening(number: number, port: 0).encoded)
        }
        guard let listener = try? LinkListener(addresses, ports: ports, number: number) else {
            return ended(.listening(number: number, port: 0))
        }
        control.post(LinkMessage.listening(number: number, port: listener.port).encoded)
        let mailbox = mailbox
        startTrial(or: nil) {
            listener.serve(until: .now + .seconds(20))
            mailbox.post(.tried(nil))
        }
    }

    /// On a thread of its own; where the system refuses one, `message` is all that is said.
    private func startTrial(or message: LinkMessage?, _ run: @escaping @Sendable () -> Void) {
        do throws(ResourceError) {
            try startThread("link trial", run)
        } catch {
            ended(message)
        }
    }
}
