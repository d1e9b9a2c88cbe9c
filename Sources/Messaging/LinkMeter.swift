import CLinux  // Whichever of the two is read first owns the constants of <sys/socket.h>.
import Glibc

/// Measures how fast a tcp connection carries what is given to it, as the kernel counts it.
///
/// Time in which nothing is on its way, or in which the receiver has no room, is none of the
/// link's.
package struct LinkMeter: Sendable {
    /// The rate and the delay of a connection.
    package struct Reading: Hashable, Sendable {
        /// Bytes a second.
        package var rate: Double
        /// The shortest time there and back that was seen lately, in seconds.
        package var delay: Double
    }

    private struct Count {
        /// Bytes that the other side has acknowledged.
        var bytes: UInt64
        /// Microseconds in which some were on their way.
        var busy: UInt64
        /// Microseconds.
        var delay: UInt32
    }

    /// Fewer bytes say more about delays than about the rate.
    static let enough: UInt64 = 1 << 20

    private var descriptor: Int32 = -1
    private var last = Count(bytes: 0, busy: 0, delay: 0)

    /// Makes a meter that has seen no connection yet.
    package init() {}

    /// Returns the rate since the last reading; nil until a mebibyte has gone.
    ///
    /// A descriptor that is another's by now only gives a wrong rate, once.
    package mutating func read(connection descriptor: Int32) -> Reading? {
        guard let now = Self.count(descriptor) else { return nil }
        guard descriptor == self.descriptor, now.bytes >= last.bytes, now.busy >= last.busy else {
            self.descriptor = descriptor
            last = now
            return nil
        }
        let bytes = now.bytes - last.bytes
        let busy = now.busy - last.busy
        guard bytes >= Self.enough, busy > 0 else { return nil }
        last = now
        return Reading(
            rate: Double(bytes) / Double(busy) * 1e6, delay: Double(now.delay) * 1e-6)
    }

    /// Nil for what is no tcp connection, and on kernels before 4.10.
    private static func count(_ descriptor: Int32) -> Count? {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { info in
            var length = socklen_t(info.count)
            let code = getsockopt(
                descriptor, Int32(IPPROTO_TCP), TCP_INFO, info.baseAddress!, &length)
            // `struct tcp_info` of <linux/tcp.h>; the one of <netinet/tcp.h> ends before these.
            let (acknowledged, shortest, busy, receiverLimited) = (120, 148, 168, 176)
            guard code == 0, length >= receiverLimited + 8 else { return nil }
            func number(_ offset: Int) -> UInt64 {
                info.load(fromByteOffset: offset, as: UInt64.self)
            }
            let limited = number(receiverLimited)
            return Count(
                bytes: number(acknowledged), busy: number(busy) - min(limited, number(busy)),
                delay: info.load(fromByteOffset: shortest, as: UInt32.self))
        }
    }
}
