import Messaging
import Processes
import Testing
import Wire

/// A relay over a socket that exists only here.
private final class Post {
    /// What has been sent: to whom, from whom, how many bytes.
    var sent: [String] = []
    /// Whose queue is full, and who is not there.
    var full: Set<[UInt8]> = []
    var absent: Set<[UInt8]> = []
    lazy var relay = Relay { [unowned self] (sending) throws(MessagingError) in
        if absent.contains(sending.receiver) { throw .unknownPeer(identity: sending.receiver) }
        if full.contains(sending.receiver) { throw .wouldBlock }
        sent.append(
            "\(Self.name(sending.receiver)) from \(Self.name(sending.from)): "
                + "\(sending.frame.count)")
    }

    static let link = [RelayAddress.linkMark] + Array(repeating: UInt8(1), count: 8)
    static let inbox = RelayAddress.inbox(ofInstance: 7)

    private static func name(_ identity: [UInt8]) -> String { identity == link ? "link" : "inbox" }

    func pass(_ bytes: Int, to receiver: [UInt8], from identity: [UInt8], over connection: Int32)
        throws
    {
        let frame = try Message(Array(repeating: 9, count: bytes))
        relay.pass(
            frame, to: receiver,
            from: RouterSocket.Sender(identity: identity, connection: connection, key: nil))
        #expect(frame.count == 0)
    }
}

@Suite("Relays")
struct RelayTests {
    private let post = Post()

    @Test func `frames go both ways, and each side is told when the other ends`() throws {
        try post.pass(100, to: Post.inbox, from: Post.link, over: 1)
        try post.pass(80, to: Post.link, from: Post.inbox, over: 2)
        post.relay.ended(1)
        post.relay.ended(2)
        #expect(
            post.sent == ["inbox from link: 100", "link from inbox: 80", "inbox from link: 0"])
        #expect(post.relay.bytes == 180)
    }

    @Test func `who sends to nobody is told so`() throws {
        post.absent = [Post.inbox]
        try post.pass(100, to: Post.inbox, from: Post.link, over: 1)
        #expect(post.sent == ["link from inbox: 0"])
    }

    @Test func `what waits keeps its order, and goes when there is room`() throws {
        post.full = [Post.inbox]
        for bytes in 1...3 { try post.pass(bytes, to: Post.inbox, from: Post.link, over: 1) }
        post.relay.flush()
        #expect(post.sent == [] && !post.relay.isIdle)
        post.full = []
        try post.pass(4, to: Post.inbox, from: Post.link, over: 1)
        post.relay.flush()
        #expect(post.sent == (1...4).map { "inbox from link: \($0)" } && post.relay.isIdle)
    }

    @Test func `who takes nothing is cut off, and holds no more memory`() throws {
        post.full = [Post.inbox]
        for _ in 0...Relay.limit { try post.pass(10, to: Post.inbox, from: Post.link, over: 1) }
        #expect(post.sent == ["link from inbox: 0"] && post.relay.isIdle)
    }

    @Test func `nothing is passed to workers' or other connections`() throws {
        for receiver in [[1] + Post.inbox.dropFirst(), [], Post.link] {
            try post.pass(10, to: Array(receiver), from: Post.link, over: 1)
        }
        #expect(post.sent == [])
    }
}
