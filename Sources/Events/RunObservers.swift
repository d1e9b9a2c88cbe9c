import Coordination
import Foundation
import Resources
import Synchronization
import Threads

/// Everybody who is told what happens in a run.
package final class RunObservers: Sendable {
    /// Events get their numbers in the order in which they are posted.
    private struct State {
        var queues: [ObserverQueue] = []
        var events = 0
    }

    private let state = Mutex(State())

    /// Starts a thread for each.
    ///
    /// - Parameter limit: events that may wait for one.
    /// - Throws: where the system refuses a thread; none is left then.
    package init(_ observers: [any RunObserver], limit: Int? = nil) throws(ResourceError) {
        for observer in observers {
            do throws(ResourceError) {
                let queue = try ObserverQueue(observer, limit: limit ?? ObserverQueue.limit) {
                    [weak self] in self?.post(.lost($0), except: $0.observer)
                }
                state.withLock { $0.queues.append(queue) }
            } catch {
                for queue in queues { queue.close() }
                throw error
            }
        }
    }

    private var queues: [ObserverQueue] { state.withLock { $0.queues } }

    /// Tells all of them, and waits for none.
    package func post(_ report: RunReport) { post(report, except: nil) }

    private func post(_ report: RunReport, except name: String?) {
        state.withLock { state in
            state.events += 1
            let event = RunEvent(
                number: state.events, time: Date().timeIntervalSince1970,
                clock: Clock.now.seconds, report)
            for queue in state.queues where queue.name != name { queue.post(event) }
        }
    }

    /// Takes no more events, and waits until all have been observed, `seconds` at most.
    ///
    /// - Returns: the names of those that have not ended by then; they are left to themselves.
    @discardableResult
    package func close(seconds: Double = 5) -> [String] {
        let deadline = Date(timeIntervalSinceNow: seconds)
        let queues = queues
        for queue in queues { queue.close() }
        return queues.filter { !$0.drain(until: deadline) }.map(\.name)
    }
}
