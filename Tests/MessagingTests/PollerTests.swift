import Foundation
import Messaging
import Testing

@Suite struct PollerTests {
    @Test func `waiting for nothing ends at the deadline and not before`() throws {
        var poller = Poller()
        let wakeup = try Wakeup()
        poller.add(wakeup)
        let deadline = ContinuousClock.now + .milliseconds(15)
        #expect(try poller.wait(until: deadline) == false)
        #expect(ContinuousClock.now >= deadline)
    }

    @Test func `a signal from another thread ends the wait, and drained it does not`() throws {
        var poller = Poller()
        let wakeup = try Wakeup()
        let place = poller.add(wakeup)
        Thread { wakeup.signal() }.start()
        #expect(try poller.wait(until: .now + .seconds(10)))
        #expect(poller.events(at: place) == .readable)
        wakeup.drain()
        wakeup.drain()
        #expect(try poller.wait(until: .now) == false)
    }

    @Test func `a place may be silenced`() throws {
        var poller = Poller()
        let wakeup = try Wakeup()
        let place = poller.add(wakeup)
        wakeup.signal()
        poller.change(place, to: [])
        #expect(try poller.wait(until: .now) == false)
        poller.change(place, to: .readable)
        #expect(try poller.wait(until: .now))
    }

    @Test func `one process has one host identity, and it survives text`() throws {
        let here = HostIdentity.current()
        #expect(here == HostIdentity.current())
        #expect(!here.name.isEmpty && here.network != 0 && here.boot.count == 36)
        let data = try JSONEncoder().encode(here)
        #expect(try JSONDecoder().decode(HostIdentity.self, from: data) == here)
        #expect(HostIdentity(key: here.key) == here)
        #expect(HostIdentity(key: "a name") != here)
    }
}
