import Messaging
import Wire

/// Questions to a coordinator over one connection.
package final class CoordinatorConversation {
    private let call: CoordinatorCall
    private let context: Context
    private let socket: DealerSocket
    private let monitor: SocketMonitor
    private let address: IPAddress
    private var setbacks = Setbacks()
    private var suspicion: Suspicion
    private var hasHeard = false

    /// - Parameter address: which of the coordinator's addresses answers.
    /// - Throws: `MessagingError`, what is wrong with the token.
    package init(_ call: CoordinatorCall, at address: IPAddress) throws {
        self.call = call
        self.address = address
        suspicion = Suspicion(of: call.coordinator)
        context = try Context()
        var options = SocketOptions()
        options.identity =
            [StatusMessage.identityMark] + (0..<8).map { _ in UInt8.random(in: 0...255) }
        options.waits.linger = .zero
        options.limits.frameBytes = DoctorMessage.limit
        options.limits.messageBytes = DoctorMessage.limit
        options.ipv6 = true
        if let token = try call.access.token() {
            options.security = .client(token.workers, server: token.coordinator)
        }
        socket = try DealerSocket(context, options)
        monitor = try SocketMonitor(socket)
        try socket.connect(call.coordinator.at(address).description)
    }

    /// The first answer that `accept` takes; others, which come late, are passed over.
    ///
    /// - Throws: `CoordinatorCall.Failure`, `MessagingError`.
    package func ask<Value>(
        _ question: DoctorMessage, seconds: Int = CoordinatorCall.patience,
        accept: (DoctorMessage) -> Value?
    ) throws -> Value {
        let bytes = question.encoded
        let deadline = ContinuousClock.now + .seconds(seconds)
        var isAsked = false
        while true {
            if !isAsked { isAsked = try socket.send(bytes) }
            while let answer = try call.read(socket) {
                let message = try call.read { () throws(WireError) in
                    try DoctorMessage(decoding: answer)
                }
                hasHeard = true
                if let value = accept(message) { return value }
            }
            while let event = try monitor.receive() {
                guard case .handshakeFailed(let reason) = event.kind else { continue }
                try call.judge(reason, &setbacks)
            }
            var poller = Poller()
            poller.add(socket, for: isAsked ? .readable : [.readable, .writable])
            poller.add(monitor)
            if !hasHeard { try suspicion.check(address) }
            let due = hasHeard ? deadline : min(deadline, suspicion.due)
            if try poller.wait(until: due) { continue }
            guard .now < deadline else {
                throw CoordinatorCall.Failure.noAnswer(call.coordinator, seconds: seconds)
            }
        }
    }

    /// How the run is made up.
    package func facts() throws -> RunFacts {
        try ask(.aboutRun) { answer in
            guard case .run(let json) = answer else { return nil }
            return RunFacts(json: json)
        }
    }
}
