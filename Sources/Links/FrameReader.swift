import Glibc
import Messaging
import Ring

/// The reason that nothing more can be read from a stream.
package enum StreamFailure: Error {
    case ended(MessagingError)
    case frame(FrameError)
    /// A record's tag is wrong: something on the way has altered it.
    case altered
}

/// Takes frames off a stream, one at a time, into memory that is used again.
///
/// No length is believed before the header's checksum is right, nor above the limit; sealed,
/// nothing is before its record's tag is.
package final class FrameReader {
    private let stream: Stream
    private let seal: StreamSeal?
    /// Bytes of a header, and what is behind numbers: the seal's tag.
    private let headerSize: Int
    private let tagBytes: Int
    /// Two places for headers, then the numbers: those behind one header are read together with
    /// the next header.
    private let storage: UnsafeMutableRawBufferPointer
    private let limit: Int
    private let parts = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 2)
    private var place = 0
    private var headerBytes = 0
    private var nextBytes = 0
    private var numberBytes = 0
    private var header: FrameHeader?
    private var isDelivered = false

    private static let numbersAt = 256

    /// - Parameters:
    ///   - seal: what opens the frames; nil for plain text.
    ///   - limit: bytes that the numbers of a frame may have.
    package init(_ stream: Stream, _ seal: StreamSeal? = nil, limit: Int) {
        self.stream = stream
        self.seal = seal
        self.limit = limit
        tagBytes = seal == nil ? 0 : StreamSeal.tagBytes
        headerSize = FrameHeader.byteCount + tagBytes
        storage = .allocate(byteCount: Self.numbersAt + limit + tagBytes, alignment: 64)
    }

    deinit {
        storage.deallocate()
        parts.deallocate()
    }

    /// The numbers behind the header that `next` returned last; valid until it is called again.
    package var numbers: UnsafeMutableRawBufferPointer {
        let count = header?.payloadBytes ?? 0
        return UnsafeMutableRawBufferPointer(
            rebasing: storage[Self.numbersAt..<Self.numbersAt + count])
    }

    /// The next frame that has come as a whole, nil if none has; its numbers are not checked.
    package func next() throws(StreamFailure) -> FrameHeader? {
        if isDelivered { turn() }
        while true {
            if header == nil, headerBytes == headerSize { try parse() }
            if let header, numberBytes == recordBytes(header) {
                try openNumbers()
                isDelivered = true
                return header
            }
            guard try fill() else { return nil }
        }
    }

    /// Bytes behind a header.
    private func recordBytes(_ header: FrameHeader) -> Int {
        header.payloadBytes > 0 ? header.payloadBytes + tagBytes : 0
    }

    private func openNumbers() throws(StreamFailure) {
        guard let seal, numberBytes > 0 else { return }
        let record = storage[Self.numbersAt..<Self.numbersAt + numberBytes]
        guard seal.open(.init(rebasing: record)) else { throw .altered }
    }

    private func turn() {
        place = 1 - place
        headerBytes = nextBytes
        nextBytes = 0
        numberBytes = 0
        header = nil
        isDelivered = false
    }

    private func parse() throws(StreamFailure) {
        if let seal, !seal.open(.init(start: headerAt(place), count: headerSize)) {
            throw .altered
        }
        do throws(FrameError) {
            let bytes = UnsafeRawBufferPointer(
                start: headerAt(place), count: FrameHeader.byteCount)
            let header = try FrameHeader(leading: bytes)
            guard header.payloadBytes <= limit else { throw .malformed }
            self.header = header
        } catch {
            throw .frame(error)
        }
    }

    private func headerAt(_ place: Int) -> UnsafeMutableRawPointer {
        storage.baseAddress! + 128 * place
    }

    /// Reads what is there, as far as it is known where it belongs; false if there is nothing.
    private func fill() throws(StreamFailure) -> Bool {
        guard let header else {
            parts[0] = iovec(
                iov_base: headerAt(place) + headerBytes, iov_len: headerSize - headerBytes)
            let count = try receive(1)
            headerBytes += count
            return count > 0
        }
        let missing = recordBytes(header) - numberBytes
        parts[0] = iovec(
            iov_base: storage.baseAddress! + Self.numbersAt + numberBytes, iov_len: missing)
        parts[1] = iovec(iov_base: headerAt(1 - place), iov_len: headerSize)
        let count = try receive(2)
        numberBytes += min(count, missing)
        nextBytes = max(0, count - missing)
        return count > 0
    }

    private func receive(_ count: Int) throws(StreamFailure) -> Int {
        do throws(MessagingError) {
            return try stream.receive(into: .init(rebasing: parts[..<count]))
        } catch {
            throw .ended(error)
        }
    }
}
