import Foundation
import Resources
import Synchronization

/// Answers libzmq's question whether a key may come in (ZAP, ZeroMQ RFC 27), on its own thread.
///
/// Make it before any socket that asks; a context has one at most. When it has stopped, or was
/// never there, nobody comes in.
package final class Gate: Sendable {
    /// The guest lists and the order to stop: state that the thread and its owner share.
    final class Doors: Sendable {
        private struct State {
            var lists: [String: GuestList] = [:]
            var opened = 0
            var isStopping = false
        }

        private let state = Mutex(State())
        let wakeup: Wakeup

        init() throws(MessagingError) { wakeup = try Wakeup() }

        var isStopping: Bool { state.withLock { $0.isStopping } }

        func list(of domain: String) -> GuestList? { state.withLock { $0.lists[domain] } }

        func open(for list: GuestList) -> String {
            list.whenChanged { [wakeup] in wakeup.signal() }
            return state.withLock { state in
                state.opened += 1
                state.lists["\(state.opened)"] = list
                return "\(state.opened)"
            }
        }

        func close(_ domain: String) { state.withLock { $0.lists[domain] = nil } }

        func stop() {
            state.withLock { $0.isStopping = true }
            wakeup.signal()
        }
    }

    private final class Outcome: Sendable {
        let error = Mutex<MessagingError?>(nil)
    }

    private let doors: Doors
    private let stopped = Mutex(false)
    private let ended: DispatchSemaphore

    /// - Throws: `.addressInUse` if the context has a gate already.
    package init(_ context: Context) throws(MessagingError) {
        let doors = try Doors()
        let started = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        let outcome = Outcome()
        let loan = ContextLoan(context)
        do throws(ResourceError) {
            try startThread("gate") {
                defer { ended.signal() }
                do throws(MessagingError) {
                    let keeper = try GateKeeper(loan.take(), doors)
                    started.signal()
                    while !doors.isStopping { try keeper.turn() }
                } catch {
                    // From here on libzmq finds no gate, and refuses.
                    outcome.error.withLock { $0 = error }
                    started.signal()
                }
            }
        } catch {
            throw .refused(error)
        }
        started.wait()
        if let error = outcome.error.withLock({ $0 }) { throw error }
        self.doors = doors
        self.ended = ended
    }

    deinit { stop() }

    /// The name under which a listening socket asks for `list`; it holds until `close`.
    package func open(for list: GuestList) -> Door { Door(domain: doors.open(for: list)) }

    /// Forgets the guest list behind a door: from now on nobody comes in there.
    package func close(_ door: Door) { doors.close(door.domain) }

    /// Ends the thread: nobody comes in any more.
    package func stop() {
        let isFirst = stopped.withLock { stopped in
            defer { stopped = true }
            return !stopped
        }
        guard isFirst else { return }
        doors.stop()
        ended.wait()
    }

    /// A guest list's name at the gate. There is none without a gate, nor a server's socket without
    /// a door.
    package struct Door: Hashable, Sendable {
        let domain: String
    }
}
