import Foundation

/// The gate's own state: made, used and dropped on its thread.
final class GateKeeper {
    /// A question whose answer waits for a guest list to change.
    private struct Question {
        var sender: [UInt8]
        var id: [UInt8]
        var domain: String
        var address: String
        var key: PublicKey
        var deadline: ContinuousClock.Instant
    }

    private enum Verdict: String {
        case welcome = "200"
        case stranger = "400"
        case malformed = "500"
    }

    private let doors: Gate.Doors
    private let socket: RouterSocket
    private var waiting: [Question] = []

    /// The endpoint at which libzmq asks (RFC 27).
    private static let endpoint = "inproc://zeromq.zap.01"
    /// Questions that may wait; more are answered at once.
    private static let waitingLimit = 64

    init(_ context: Context, _ doors: Gate.Doors) throws(MessagingError) {
        var options = SocketOptions()
        options.limits.frames = 12
        options.limits.messageBytes = 4096
        options.mandatory = false
        options.queues.receive = 1024
        let socket = try RouterSocket(context, options)
        _ = try socket.bind(Self.endpoint)
        self.socket = socket
        self.doors = doors
    }

    /// Waits for questions and answers them.
    func turn() throws(MessagingError) {
        var poller = Poller()
        poller.add(socket, for: .readable)
        let place = poller.add(doors.wakeup)
        let deadline = waiting.map(\.deadline).min() ?? .now + .seconds(3600)
        _ = try poller.wait(until: deadline)
        if poller.events(at: place) != [] { doors.wakeup.drain() }
        try takeQuestions()
        try answerWaiting()
    }

    private func takeQuestions() throws(MessagingError) {
        while true {
            do throws(MessagingError) {
                guard let (sender, frames) = try socket.receiveFrames() else { return }
                try take(frames, from: sender)
            } catch .tooManyFrames, .tooManyBytes, .tooFewFrames {
                continue
            }
        }
    }

    /// Frames: empty, version, question, domain, address, identity, mechanism, key.
    private func take(
        _ frames: [[UInt8]], from sender: [UInt8]
    ) throws(MessagingError) {
        guard frames.count >= 3 else { return }
        let domain = frames.count > 3 ? String(decoding: frames[3], as: UTF8.self) : ""
        guard frames.count == 8, frames[1].elementsEqual("1.0".utf8),
            frames[6].elementsEqual("CURVE".utf8), let key = PublicKey(frames[7]),
            let list = doors.list(of: domain)
        else { return try answer(sender, frames[2], .malformed, nil) }
        let question = Question(
            sender: sender, id: frames[2], domain: domain,
            address: String(decoding: frames[4], as: UTF8.self), key: key,
            deadline: .now + list.patience)
        if list.contains(key) { return try answer(sender, frames[2], .welcome, key) }
        guard list.patience > .zero, waiting.count < Self.waitingLimit else {
            return try refuse(question)
        }
        waiting.append(question)
    }

    private func answerWaiting() throws(MessagingError) {
        let now = ContinuousClock.now
        let questions = waiting
        waiting = []
        for question in questions {
            if doors.list(of: question.domain)?.contains(question.key) == true {
                try answer(question.sender, question.id, .welcome, question.key)
            } else if question.deadline <= now {
                try refuse(question)
            } else {
                waiting.append(question)
            }
        }
    }

    private func refuse(_ question: Question) throws(MessagingError) {
        doors.list(of: question.domain)?
            .refused(.init(address: question.address, key: question.key))
        try answer(question.sender, question.id, .stranger, nil)
    }

    /// The name that goes with every message of the connection is the key itself.
    private func answer(
        _ sender: [UInt8], _ id: [UInt8], _ verdict: Verdict, _ key: PublicKey?
    ) throws(MessagingError) {
        let name = key.map { Array($0.description.utf8) } ?? []
        do throws(MessagingError) {
            try socket.send(
                to: sender,
                frames: [
                    [], Array("1.0".utf8), id, Array(verdict.rawValue.utf8), [], name, [],
                ])
        } catch .unknownPeer, .wouldBlock {
            // Who asked has gone.
        }
    }
}
