import Glibc
import Links
import Messaging
import Parameters
import Ring
import Settings
import Testing
import Wire

@Suite(.serialized) struct RingSecurityTests {
    @Test(
        arguments: [[Transport.tcp], [.auto, .tcp, .ipc]],
        [(WireFormat.f32, false), (.f32, true), (.bf16, true), (.int8, true)])
    func `neighbours that know each other fold the same bits, encrypted or not`(
        transports: [Transport], how: (wire: WireFormat, encryptsAll: Bool)
    ) throws {
        let encryptsAll = how.encryptsAll
        let threads = try Threads(secured: 3, encryptsAll: encryptsAll)
        threads.transports = transports
        threads.wire = how.wire
        for (counter, members) in [(1, [0, 1, 2]), (2, [2, 0]), (3, [1, 2, 0])] {
            let bounds = members.count == 3 ? [0, 1, 2, 4] : [0, 3, 4]
            threads.form(members, bounds: bounds, counter: UInt32(counter))
            for member in members {
                var event = try threads.reports[member].next()
                // A neighbour of the generation before may have left it first.
                while case .broken = event { event = try threads.reports[member].next() }
                guard case .formed(Generation(epoch: 1, counter: UInt32(counter))) = event else {
                    Issue.record("worker \(member): \(event)")
                    continue
                }
            }
            for step in 1...3 {
                let gradients = someGradients(4, 3000, seed: counter * 10 + step)
                try threads.fold(members, step: UInt64(step), gradients: gradients)
            }
            for (rank, member) in members.enumerated() {
                let lane = transports[rank % transports.count]
                let used: Transport = encryptsAll ? .tcp : lane == .auto ? .shared : lane
                let progress = threads.rings[member].progress
                #expect(progress.lane == used)
                #expect(progress.streams == (used != .shared))
                #expect(progress.isSealed == (used == .tcp))
            }
        }
    }

    @Test func `who is not the predecessor is refused, and both sides say so`() throws {
        let threads = try Threads(secured: 3, encryptsAll: true)
        let generation = Generation(epoch: 1, counter: 1)
        func join(_ member: Int, predecessor: Int) {
            threads.rings[member].form(
                RingMembership(
                    run: 5, generation: generation, rank: member == 0 ? 0 : 1,
                    shardBounds: [0, 1, 2], successor: threads.rings[1 - min(member, 1)].endpoints,
                    transport: .tcp, patience: .milliseconds(2500),
                    keys: RingKeys(
                        predecessor: threads.keys[predecessor].publicKey.bytes,
                        successor: threads.keys[1 - min(member, 1)].publicKey.bytes,
                        encryptsAll: true)))
        }
        // 1 expects 2 and not 0, which takes itself for its predecessor.
        join(0, predecessor: 1)
        join(1, predecessor: 2)
        var isTold = false
        var isRefused = false
        while !isTold || !isRefused {
            if !isTold, case .turnedAway("127.0.0.1", .refused) = try threads.reports[1].next() {
                isTold = true
            }
            if !isRefused,
                case .broken(generation, .refused(.successor, .refused)) =
                    try threads.reports[0].next()
            {
                isRefused = true
            }
        }
    }

    @Test func `without the successor's key nothing is connected to`() throws {
        let threads = try Threads(secured: 2, encryptsAll: true)
        let generation = Generation(epoch: 1, counter: 1)
        threads.rings[0].form(
            RingMembership(
                run: 5, generation: generation, rank: 0, shardBounds: [0, 1, 2],
                successor: threads.rings[1].endpoints, transport: .tcp))
        let event = try threads.reports[0].next()
        guard case .broken(generation, .socket(.system(_, ENOKEY))) = event else {
            Issue.record("\(event)")
            return
        }
    }

    @Test func `without a named predecessor nobody comes in`() throws {
        let threads = try Threads(secured: 2, encryptsAll: true)
        let context = try Context()
        var options = SocketOptions()
        let stranger = try KeyPair.random()
        options.security = .client(stranger, server: threads.keys[0].publicKey)
        let socket = try DealerSocket(context, options)
        let monitor = try SocketMonitor(socket)
        try socket.connect(threads.rings[0].endpoints.tcp)
        var poller = Poller()
        poller.add(monitor)
        var failure: HandshakeFailure?
        while failure == nil {
            try #require(try poller.wait(until: .now + .seconds(20)))
            if let event = try monitor.receive(), case .handshakeFailed(let why) = event.kind {
                failure = why
            }
        }
        #expect(failure == .refused)
    }
}
