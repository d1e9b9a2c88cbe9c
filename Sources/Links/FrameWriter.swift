import Glibc
import Messaging
import Ring

/// Frames that wait until the kernel takes them into a stream, in order.
///
/// Numbers go out from where they lie; they must stay there until `isEmpty`, or until `keep` or
/// `clear` lets go of them. Sealed numbers are copies.
package final class FrameWriter {
    private struct Slot {
        var numbers = UnsafeRawBufferPointer(start: nil, count: 0)
        /// The slot's own memory for numbers, made when first needed.
        var own = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    private let stream: Stream
    private let seal: StreamSeal?
    private let tagBytes: Int
    private let headerSize: Int
    private let headers: UnsafeMutableRawBufferPointer
    private var slots: [Slot]
    private let parts = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 16)
    private var first = 0
    private var count = 0
    /// Bytes of the first frame that are gone.
    private var sent = 0

    /// - Parameter seal: what seals the frames; nil for plain text.
    package init(_ stream: Stream, _ seal: StreamSeal? = nil, slots: Int) {
        self.stream = stream
        self.seal = seal
        tagBytes = seal == nil ? 0 : StreamSeal.tagBytes
        headerSize = FrameHeader.byteCount + tagBytes
        self.slots = Array(repeating: Slot(), count: slots)
        headers = .allocate(byteCount: slots * headerSize, alignment: 64)
    }

    deinit {
        headers.deallocate()
        parts.deallocate()
        for slot in slots { slot.own.deallocate() }
    }

    /// Whether the kernel has taken all frames.
    package var isEmpty: Bool { count == 0 }

    // MARK: Filling

    /// Queues a frame whose numbers, which `header` has the digest of, lie at `numbers`.
    ///
    /// - Returns: false if there is no room.
    package func put(_ header: FrameHeader, _ numbers: UnsafeRawBufferPointer) -> Bool {
        precondition(
            numbers.count == header.payloadBytes, "\(numbers.count) bytes behind \(header)")
        guard count < slots.count else { return false }
        let index = (first + count) % slots.count
        let place = headerAt(index)
        header.sealHeader(.init(rebasing: place[..<FrameHeader.byteCount]))
        slots[index].numbers = numbers
        if let seal {
            seal.seal(
                UnsafeRawBufferPointer(rebasing: place[..<FrameHeader.byteCount]), into: place)
            slots[index].numbers = sealed(numbers, seal, index)
        }
        count += 1
        return true
    }

    private func sealed(
        _ numbers: UnsafeRawBufferPointer, _ seal: StreamSeal, _ index: Int
    ) -> UnsafeRawBufferPointer {
        guard numbers.count > 0 else { return numbers }
        let record = own(index, numbers.count + tagBytes)
        seal.seal(numbers, into: record)
        return UnsafeRawBufferPointer(record)
    }

    /// Queues a frame without numbers; false if there is no room.
    package func put(_ header: FrameHeader) -> Bool { put(header, .init(start: nil, count: 0)) }

    /// Memory for the numbers of the frame that is queued next; nil if there is no room.
    func room(_ byteCount: Int) -> UnsafeMutableRawBufferPointer? {
        guard count < slots.count else { return nil }
        let room = own((first + count) % slots.count, byteCount + tagBytes)
        return UnsafeMutableRawBufferPointer(rebasing: room[..<byteCount])
    }

    private func own(_ index: Int, _ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        if slots[index].own.count < byteCount {
            slots[index].own.deallocate()
            slots[index].own = .allocate(byteCount: byteCount, alignment: 64)
        }
        return UnsafeMutableRawBufferPointer(rebasing: slots[index].own[..<byteCount])
    }

    private func headerAt(_ index: Int) -> UnsafeMutableRawBufferPointer {
        let start = index * headerSize
        return .init(rebasing: headers[start..<start + headerSize])
    }

    // MARK: Letting go

    /// Takes copies, so that what waits no longer depends on anybody's memory.
    package func keep() {
        for offset in 0..<count {
            let index = (first + offset) % slots.count
            let numbers = slots[index].numbers
            guard numbers.count > 0,
                numbers.baseAddress != UnsafeRawPointer(slots[index].own.baseAddress)
            else {
                continue
            }
            let own = own(index, numbers.count)
            own.copyMemory(from: numbers)
            slots[index].numbers = UnsafeRawBufferPointer(own)
        }
    }

    /// Forgets what waits. The stream is of no use any more: a frame may have been cut.
    func clear() { count = 0 }

    // MARK: Sending

    /// Hands over as much as the kernel takes now; false if that is nothing.
    package func flush() throws(MessagingError) -> Bool {
        var moved = false
        while count > 0 {
            let (used, offered) = gather()
            let taken = try stream.send(.init(rebasing: parts[..<used]))
            moved = moved || taken > 0
            advance(taken)
            guard taken == offered else { break }
        }
        return moved
    }

    /// Puts the parts of the first frames together; how many, and their bytes.
    private func gather() -> (parts: Int, bytes: Int) {
        var used = 0
        var bytes = 0
        var gone = sent
        for offset in 0..<min(count, parts.count / 2) {
            let index = (first + offset) % slots.count
            let header = UnsafeRawBufferPointer(headerAt(index))
            add(header, gone, &used, &bytes)
            gone = max(0, gone - header.count)
            add(slots[index].numbers, gone, &used, &bytes)
            gone = 0
        }
        return (used, bytes)
    }

    private func add(
        _ part: UnsafeRawBufferPointer, _ gone: Int, _ used: inout Int, _ bytes: inout Int
    ) {
        guard part.count > gone else { return }
        let start = UnsafeMutableRawPointer(mutating: part.baseAddress! + gone)
        parts[used] = iovec(iov_base: start, iov_len: part.count - gone)
        used += 1
        bytes += part.count - gone
    }

    private func advance(_ taken: Int) {
        sent += taken
        while count > 0 {
            let size = headerSize + slots[first].numbers.count
            guard sent >= size else { return }
            sent -= size
            first = (first + 1) % slots.count
            count -= 1
        }
        // Memory that is still in the processor's cache.
        first = 0
    }
}
