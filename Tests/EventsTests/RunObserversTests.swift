import Events
import Foundation
import Synchronization
import Testing

/// Keeps what it is told; takes nothing before it is let.
final class Witness: RunObserver {
    let name: String
    private let gate: DispatchSemaphore?
    private let events = Mutex<[RunEvent]>([])
    /// Is signalled with every event that it begins with.
    let begun = DispatchSemaphore(value: 0)

    init(_ name: String, waitsFor gate: DispatchSemaphore? = nil) {
        self.name = name
        self.gate = gate
    }

    func observe(_ event: RunEvent) {
        begun.signal()
        if let gate {
            gate.wait()
            gate.signal()
        }
        events.withLock { $0.append(event) }
    }

    /// What it was told: the step where the time was up, or how many events of whom were lost.
    var told: [String] {
        events.withLock {
            $0.map { event in
                switch event.report {
                case .timeIsUp(let step): "\(step)"
                case .lost(let lost): "\(lost.count) of \(lost.observer)"
                default: "another"
                }
            }
        }
    }

    var numbers: [Int] { events.withLock { $0.map(\.number) } }
}

/// Who is told what, in which order, and who waits for whom.
@Suite struct RunObserversTests {
    @Test func `all are told everything in order, and the end waits for that`() throws {
        let witnesses = [Witness("a"), Witness("b"), Witness("c")]
        let observers = try RunObservers(witnesses)
        for step in 1...500 { observers.post(.timeIsUp(step: step)) }
        #expect(observers.close(seconds: 60) == [])
        for witness in witnesses {
            #expect(witness.told == (1...500).map(String.init))
            #expect(witness.numbers == Array(1...500))
        }
    }

    @Test func `posts from many threads reach all observers in one order`() throws {
        let witnesses = [Witness("a"), Witness("b")]
        let observers = try RunObservers(witnesses, limit: 10_000)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for step in 0..<200 { observers.post(.timeIsUp(step: 1000 * thread + step)) }
        }
        observers.close(seconds: 60)
        #expect(witnesses[0].told == witnesses[1].told)
        #expect(witnesses[0].numbers == Array(1...1600))
    }

    @Test func `what a slow observer has no time for is lost, counted, and told in its place`()
        throws
    {
        let gate = DispatchSemaphore(value: 0)
        let (slow, quick) = (Witness("slow", waitsFor: gate), Witness("quick"))
        let observers = try RunObservers([slow, quick], limit: 4)
        observers.post(.timeIsUp(step: 0))
        // It has taken the first, and holds it.
        slow.begun.wait()
        for step in 1...9 {
            observers.post(.timeIsUp(step: step))
            quick.begun.wait()
        }
        gate.signal()
        #expect(observers.close(seconds: 60) == [])
        #expect(slow.told == ["0", "1", "2", "3", "4", "5 of slow"])
        #expect(quick.told.prefix(10) == (0...9).map(String.init).prefix(10))
    }

    @Test func `the others are told what one has lost`() throws {
        let gate = DispatchSemaphore(value: 0)
        let (slow, quick) = (Witness("slow", waitsFor: gate), Witness("quick"))
        let observers = try RunObservers([slow, quick], limit: 2)
        observers.post(.timeIsUp(step: 0))
        slow.begun.wait()
        quick.begun.wait()
        for step in 1...5 {
            observers.post(.timeIsUp(step: step))
            quick.begun.wait()
        }
        gate.signal()
        // The loss itself.
        quick.begun.wait()
        #expect(observers.close(seconds: 60) == [])
        #expect(quick.told == ["0", "1", "2", "3", "4", "5", "3 of slow"])
    }

    @Test func `one that blocks for ever holds up neither posts nor the others nor the end`() throws
    {
        let gate = DispatchSemaphore(value: 0)
        let (stuck, quick) = (Witness("stuck", waitsFor: gate), Witness("quick"))
        let observers = try RunObservers([stuck, quick], limit: 8)
        let begun = ContinuousClock.now
        for step in 1...20_000 { observers.post(.timeIsUp(step: step)) }
        #expect(ContinuousClock.now - begun < .seconds(10))
        #expect(observers.close(seconds: 0.05) == ["stuck"])
        #expect(stuck.told == [])
        gate.signal()
    }

    @Test func `nothing is told after the end`() throws {
        let witness = Witness("a")
        let observers = try RunObservers([witness])
        observers.post(.timeIsUp(step: 1))
        observers.close(seconds: 60)
        observers.post(.timeIsUp(step: 2))
        #expect(witness.told == ["1"])
    }
}
