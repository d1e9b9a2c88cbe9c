import Foundation
import Resources

/// Somebody who is told what happens in a run: a terminal, a file, a page.
package protocol RunObserver: Sendable {
    /// What it is called where it has lost events.
    var name: String { get }

    /// Takes an event, in order, always on the same thread, which is this observer's own. It may take
    /// as long as it likes: what it has no time for is lost, and counted.
    func observe(_ event: RunEvent)
}

/// An observer's thread, and the events that wait for it.
///
/// Posting never waits. Where `limit` events wait, another is lost and counted; once there is room
/// again, the observer is told how many, in their place, and so is whoever asks for losses.
final class ObserverQueue: @unchecked Sendable {
    /// Events that may wait.
    static let limit = 1024

    let name: String
    private let limit: Int
    private let observer: any RunObserver
    private let lost: @Sendable (LostEvents) -> Void
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var waiting: [RunEvent] = []
    private var missed = 0
    private var isClosed = false
    private var isOver = false

    /// - Parameter lost: is called on the observer's thread, before the observer is told.
    /// - Throws: where the system refuses a thread.
    init(
        _ observer: any RunObserver, limit: Int = ObserverQueue.limit,
        lost: @escaping @Sendable (LostEvents) -> Void
    ) throws(ResourceError) {
        name = observer.name
        self.observer = observer
        self.limit = limit
        self.lost = lost
        try startThread("observer \(observer.name)".prefix(15).description) { [self] in run() }
    }

    func post(_ event: RunEvent) {
        condition.withLock {
            guard !isClosed else { return }
            guard waiting.count < limit else {
                missed += 1
                return
            }
            waiting.append(event)
            if waiting.count == 1 { condition.signal() }
        }
    }

    /// Takes no more events.
    func close() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
        }
    }

    /// Waits until the observer has taken all events. Returns whether it has by `deadline`.
    func drain(until deadline: Date) -> Bool {
        condition.withLock {
            while !isOver {
                guard condition.wait(until: deadline) else { return isOver }
            }
            return true
        }
    }

    private func run() {
        while let (events, missed) = take() {
            for event in events { observer.observe(event) }
            guard missed > 0, let last = events.last else { continue }
            let lost = LostEvents(observer: name, count: missed)
            observer.observe(
                RunEvent(number: last.number, time: last.time, clock: last.clock, .lost(lost)))
            self.lost(lost)
        }
        condition.withLock {
            isOver = true
            condition.broadcast()
        }
    }

    /// All that wait, oldest first, and how many were lost behind them; nil at the end.
    private func take() -> (events: [RunEvent], missed: Int)? {
        condition.withLock {
            while waiting.isEmpty {
                if isClosed { return nil }
                condition.wait()
            }
            defer {
                waiting.removeAll(keepingCapacity: true)
                missed = 0
            }
            return (waiting, missed)
        }
    }
}
