import CZeroMQ
import Glibc

/// One frame in libzmq's own memory; an object to be used again and again by one thread.
///
/// Receiving into it takes the frame over without a copy, sending it hands the frame on without a
/// copy and leaves it empty.
package final class Message {
    let pointer: UnsafeMutablePointer<zmq_msg_t>

    /// An empty frame.
    package init() {
        pointer = .allocate(capacity: 1)
        zmq_msg_init(pointer)
    }

    /// Makes a frame with a copy of these bytes.
    ///
    /// - Throws: `MessagingError.system` (ENOMEM).
    package convenience init(_ bytes: [UInt8]) throws(MessagingError) {
        self.init()
        try allocate(bytes.count)
        withMutableBytes { $0.copyBytes(from: bytes) }
    }

    deinit {
        zmq_msg_close(pointer)
        pointer.deallocate()
    }

    /// Length of the content, in bytes.
    package var count: Int { zmq_msg_size(pointer) }

    /// Whether more frames of the same message follow this one.
    package var hasMore: Bool { zmq_msg_more(pointer) != 0 }

    /// Drops the content and takes memory for `count` bytes, whose values are undefined.
    ///
    /// - Throws: `MessagingError.system` (ENOMEM); the frame is empty then.
    package func allocate(_ count: Int) throws(MessagingError) {
        zmq_msg_close(pointer)
        guard zmq_msg_init_size(pointer, count) == 0 else {
            let code = zmq_errno()
            zmq_msg_init(pointer)
            throw .system(call: "zmq_msg_init_size", code: code)
        }
    }

    /// Drops the content.
    package func clear() {
        zmq_msg_close(pointer)
        zmq_msg_init(pointer)
    }

    /// Takes over the content of another frame, which is empty afterwards.
    package func take(_ other: Message) {
        zmq_msg_move(pointer, other.pointer)
    }

    /// A copy of the content.
    package var bytes: [UInt8] { withBytes { Array($0) } }

    /// The bytes of a frame that nobody shares, until the frame is changed, sent or let go.
    package var buffer: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: zmq_msg_data(pointer), count: count)
    }

    /// Lends the content without a copy. The pointer is valid during `body` alone.
    package func withBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: zmq_msg_data(pointer), count: count))
    }

    /// The bytes of a frame that nobody shares: just received or just allocated.
    package func withMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: zmq_msg_data(pointer), count: count))
    }

    /// The key whose owner sent a received frame, as the gate let it in; nil for plain connections.
    package var user: PublicKey? {
        guard let text = zmq_msg_gets(pointer, "User-Id") else { return nil }
        return PublicKey(hexadecimal: String(cString: text))
    }

    /// Descriptor of the connection that a received frame came over, -1 if unknown.
    ///
    /// It equals the monitor's in `disconnected`; the kernel may use the number again afterwards.
    package var connection: Int32 { zmq_msg_get(pointer, ZMQ_SRCFD) }
}
