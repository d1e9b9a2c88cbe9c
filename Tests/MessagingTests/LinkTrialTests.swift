import Foundation
import Messaging
import Resources
import Testing

/// One thread serves, the test's own tries.
@Suite("Trying a link")
struct LinkTrialTests {
    private func serving(
        number: UInt64, _ body: (Int) throws -> Void
    ) throws {
        let listener = try LinkListener([.loopback], number: number)
        let ended = DispatchSemaphore(value: 0)
        try startThread("link listener") {
            listener.serve(until: .now + .seconds(20))
            ended.signal()
        }
        try body(listener.port)
        #expect(ended.wait(timeout: .now() + 25) == .success)
    }

    @Test func `tells when a port accepts, how much passes, and ends with whom it waited for`()
        throws
    {
        try serving(number: 42) { port in
            let seconds = try LinkTrial.knock(.loopback, port: port, patience: .seconds(5))
            #expect(seconds > 0 && seconds < 5)
            let rate = try LinkTrial.rate(.loopback, port: port, number: 42, patience: .seconds(5))
            // Loopback of any machine that runs tests.
            #expect(rate > 1e7 && rate < 1e12)
        }
    }

    @Test func `serves nobody who shows another number`() throws {
        try serving(number: 42) { port in
            #expect(throws: LinkTrial.Failure.self) {
                try LinkTrial.rate(.loopback, port: port, number: 43, patience: .seconds(5))
            }
            _ = try LinkTrial.rate(.loopback, port: port, number: 42, patience: .seconds(5))
        }
    }

    @Test func `strangers who say nothing, part of a number or another keep nobody waiting`() throws
    {
        try serving(number: 42) { port in
            var strangers: [PlainStream] = []
            for index in 0..<100 {
                let stream = try PlainStream(to: .loopback, port: port)
                // Some have gone before they are looked at.
                if index % 3 == 1 { try? stream.send(UInt32(42).littleEndian) }
                if index % 3 == 2 { try? stream.send(UInt64(43).littleEndian) }
                strangers.append(stream)
            }
            let begun = ContinuousClock.now
            _ = try LinkTrial.rate(.loopback, port: port, number: 42, patience: .seconds(5))
            #expect(ContinuousClock.now - begun < .seconds(8))
            withExtendedLifetime(strangers) {}
        }
    }

    @Test func `takes so much and no more from whoever knows the number`() throws {
        try serving(number: 42) { port in
            let stream = try PlainStream(to: .loopback, port: port)
            try stream.send(UInt64(42).littleEndian)
            for _ in 0..<4 {
                try stream.send(UInt32(64 << 20).littleEndian)
                try stream.pass(64 << 20, sending: true)
                try stream.pass(1, sending: false)
            }
            try stream.send(UInt32(1).littleEndian)
            #expect(throws: MessagingError.self) { try stream.pass(1, sending: false) }
        }
    }

    @Test func `says that a port refuses`() throws {
        let port = try LinkListener([.loopback], number: 1).port
        #expect(throws: LinkTrial.Failure(code: ECONNREFUSED)) {
            try LinkTrial.knock(.loopback, port: port, patience: .seconds(5))
        }
    }

    @Test func `takes the first free port of a range, and says when there is none`() throws {
        let first = try LinkListener([.loopback], number: 1)
        let range = first.port...min(65_535, first.port + 20)
        let second = try LinkListener([.loopback], ports: range, number: 1)
        #expect(range.contains(second.port) && second.port != first.port)
        #expect(throws: MessagingError.self) {
            try LinkListener([.loopback], ports: first.port...first.port, number: 1)
        }
    }
}
