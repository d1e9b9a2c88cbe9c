import CLinux
import Glibc

/// Tries the way to another host by plain tcp: whether a port answers, and how fast bytes pass.
///
/// What passes has no meaning. A number that both sides were told stands in front, so that nobody
/// else is served: `number` (8 bytes), then rounds of a count (4, little-endian), as many bytes,
/// and one byte back.
package enum LinkTrial {
    /// Bytes of a round at most; the last one that fits into `roundSeconds` is the measure.
    static let roundLimit = 64 << 20
    private static let firstRound = 256 << 10
    /// A round that took so long is not made larger.
    private static let roundSeconds = 0.15

    /// The reason that there is no way.
    package struct Failure: Error, Hashable, Sendable {
        /// An errno; EINVAL where the failure was not the system's.
        package let code: Int32
        /// Makes a failure of an errno.
        package init(code: Int32) { self.code = code }
    }

    /// Seconds until the port has accepted a connection, which is closed at once.
    package static func knock(
        _ address: IPAddress, port: Int, patience: Duration
    ) throws(Failure) -> Double {
        try attempt { () throws(MessagingError) in
            let begun = ContinuousClock.now
            _ = try PlainStream(to: address, port: port, patience: patience)
            return (ContinuousClock.now - begun) / .seconds(1)
        }
    }

    /// Bytes a second to a `LinkListener` that serves `number`.
    package static func rate(
        _ address: IPAddress, port: Int, number: UInt64, patience: Duration
    ) throws(Failure) -> Double {
        try attempt { () throws(MessagingError) in
            let begun = ContinuousClock.now
            let stream = try PlainStream(to: address, port: port, patience: patience)
            let turn = (ContinuousClock.now - begun) / .seconds(1)
            try stream.send(number.littleEndian)
            return try rate(over: stream, turn: turn)
        }
    }

    private static func rate(
        over stream: PlainStream, turn: Double
    ) throws(MessagingError) -> Double {
        var size = firstRound
        while true {
            let start = ContinuousClock.now
            try stream.send(UInt32(size).littleEndian)
            try stream.pass(size, sending: true)
            try stream.pass(1, sending: false)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            // The first buffer-full passes faster than the link carries.
            if size > firstRound || seconds > 10 * roundSeconds,
                seconds >= roundSeconds || size == roundLimit
            {
                return Double(size) / max(seconds - turn, seconds / 10)
            }
            size = min(roundLimit, 4 * size)
        }
    }

    private static func attempt(
        _ body: () throws(MessagingError) -> Double
    ) throws(Failure) -> Double {
        do throws(MessagingError) {
            return try body()
        } catch {
            guard case .system(_, let code) = error else { throw Failure(code: EINVAL) }
            throw Failure(code: code)
        }
    }
}
