import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Messages for readers of the page, each with a number; old ones are dropped.
///
/// No reader has messages of its own: one that is slow finds that it has missed some, and is told to
/// begin anew.
final class PageFeed: Sendable {
    private struct State {
        /// The number of the last message.
        var last = 0
        var kept: [(number: Int, bytes: [UInt8])] = []
        var bytes = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var readers = 0
        var waits = 0
        var isOver = false
    }

    /// Bytes of messages that are kept.
    private static let limit = 4 << 20
    /// Readers at once.
    static let mostReaders = 256

    /// Tells this process's messages from those of another.
    let boot: String
    private let state = Mutex(State())

    init() { boot = String(UInt64.random(in: .min ... .max), radix: 36) }

    var last: Int { state.withLock { $0.last } }
    var readers: Int { state.withLock { $0.readers } }

    func post(_ messages: [[UInt8]]) {
        guard !messages.isEmpty else { return }
        wake { state in
            for message in messages {
                state.last += 1
                let text = "id: \(boot)-\(state.last)\ndata: "
                let bytes = Array(text.utf8) + message + [10, 10]
                state.kept.append((state.last, bytes))
                state.bytes += bytes.count
            }
            var dropped = 0
            while state.bytes > Self.limit, dropped < state.kept.count {
                state.bytes -= state.kept[dropped].bytes.count
                dropped += 1
            }
            state.kept.removeFirst(dropped)
        }
    }

    /// Ends all readers' streams once they have had what is there.
    func end() { wake { $0.isOver = true } }

    private func wake(_ body: (inout State) -> Void) {
        let waiting = state.withLock { state in
            body(&state)
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Whether there is room for one more reader, who is counted until `left`.
    func enter() -> Bool {
        state.withLock { state in
            guard state.readers < Self.mostReaders else { return false }
            state.readers += 1
            return true
        }
    }

    func left() { state.withLock { $0.readers -= 1 } }

    enum Next {
        case messages([UInt8], last: Int)
        /// Some that were not read are gone.
        case missed(last: Int)
        case over
    }

    /// What has come behind `number`; waits for it.
    func next(after number: Int) async -> Next {
        while true {
            if let next = ready(after: number) { return next }
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    guard state.last <= number, !state.isOver else { return true }
                    state.waits += 1
                    state.waiting[state.waits] = continuation
                    return false
                }
                if isLate { continuation.resume() }
            }
        }
    }

    private func ready(after number: Int) -> Next? {
        state.withLock { state in
            guard state.last > number else { return state.isOver ? .over : nil }
            guard number >= 0, let first = state.kept.first, first.number <= number + 1 else {
                return .missed(last: state.last)
            }
            let new = state.kept.suffix(state.last - number)
            return .messages(new.flatMap(\.bytes), last: state.last)
        }
    }
}

/// The messages behind a number, as a reader's stream of server-sent events.
struct PageStream: AsyncBufferedSequence {
    typealias Element = UInt8

    /// A reader counts as one as long as its stream lives.
    private final class Seat: Sendable {
        let feed: PageFeed
        init(_ feed: PageFeed) { self.feed = feed }
        deinit { feed.left() }
    }

    private let seat: Seat
    private let after: Int

    /// Nil where there are too many readers.
    init?(_ feed: PageFeed, after: Int) {
        guard feed.enter() else { return nil }
        seat = Seat(feed)
        self.after = after
    }

    func makeAsyncIterator() -> Iterator { Iterator(feed: seat.feed, last: after) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        fileprivate let feed: PageFeed
        fileprivate var last: Int
        private var hasBegun = false

        fileprivate init(feed: PageFeed, last: Int) {
            self.feed = feed
            self.last = last
        }

        mutating func next() async throws -> UInt8? {
            preconditionFailure("streams are read by buffers")
        }

        mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
            if !hasBegun {
                hasBegun = true
                // The connection stands: the browser is told so at once.
                return Array("retry: 1000\n\n".utf8)
            }
            switch await feed.next(after: last) {
            case .messages(let bytes, let number):
                last = number
                return bytes
            case .missed(let number):
                last = number
                return Array("id: \(feed.boot)-\(number)\ndata: {\"k\":\"missed\"}\n\n".utf8)
            case .over: return nil
            }
        }
    }
}
