import Foundation
import Messaging
import Resources
import Synchronization

/// A plain tcp connection between two members, to hold the ring's links against.
struct AllReduceProbe {
    static let bytes = 128 << 20

    /// Seconds in which `bytes` went each way at once, over a connection that stands.
    ///
    /// - Throws: what either direction says first.
    static func seconds(over stream: PlainStream, bytes: Int) throws -> Double {
        // The first bytes find the windows small.
        _ = try exchange(over: stream, bytes: bytes / 8)
        return try exchange(over: stream, bytes: bytes)
    }

    private static func exchange(over stream: PlainStream, bytes: Int) throws -> Double {
        let start = ContinuousClock.now
        let done = DispatchSemaphore(value: 0)
        let outcome = Outcome()
        try startThread("probe") {
            do throws(MessagingError) {
                try stream.pass(bytes, sending: true)
            } catch {
                outcome.failure.withLock { $0 = error }
            }
            done.signal()
        }
        do throws(MessagingError) {
            try stream.pass(bytes, sending: false)
        } catch {
            outcome.failure.withLock { $0 = error }
        }
        done.wait()
        let time = start.duration(to: .now).seconds
        if let error = outcome.failure.withLock({ $0 }) { throw error }
        return time
    }

    private final class Outcome: Sendable {
        let failure = Mutex<MessagingError?>(nil)
    }
}

extension AllReduceBenchmark {
    /// 10⁹ bytes a second each way over a plain connection of ranks 0 and 1.
    func probe(_ members: AllReduceMembers) throws -> Double {
        try members.tell(.listen)
        let ports = try members.collect("probe", within: .seconds(30)) { report in
            if case .listening(let rank, let port) = report { (rank, port) } else { nil }
        }
        try members.tell(.probe(port: ports[0], bytes: AllReduceProbe.bytes))
        let times = try members.collect("probe", within: .seconds(60)) { report in
            if case .probed(let rank, let seconds) = report { (rank, seconds) } else { nil }
        }
        return Double(AllReduceProbe.bytes) / times.max()! * 1e-9
    }
}

extension AllReduceMember {
    func listen() throws {
        var port = 0
        if rank == 0 {
            let new = try PlainListener()
            (listener, port) = (new, new.port)
        }
        try say(.listening(rank: rank, port: port))
    }

    func probe(port: Int, bytes: Int) throws {
        var seconds = 0.0
        if rank < 2 {
            let stream =
                try rank == 0
                ? PlainListener.accept([listener!], until: .now + .seconds(20))
                : PlainStream(to: .loopback, port: port)
            listener = nil
            seconds = try AllReduceProbe.seconds(over: stream, bytes: bytes)
        }
        try say(.probed(rank: rank, seconds: seconds))
    }
}
