import Checkpoint
import Coordination
import Events
import Threads

/// What waits for a line that the ledger's disk did not take: no line, no commit.
package struct Withheld {
    /// In the order in which they were wanted; the first is the line.
    var actions: [CoordinatorAction]
    var error: CheckpointError
    var since = ContinuousClock.now
    var retryAt = ContinuousClock.now + Self.pause

    /// Time between two tries.
    static let pause = Duration.seconds(1)
}

/// Training pauses while the ledger cannot be written, and goes on when it can.
extension CoordinatorProcess {
    func carryOut(_ actions: [CoordinatorAction]) {
        for (index, action) in actions.enumerated() where outcome == nil {
            if withheld != nil && !action.mayOvertake {
                withheld?.actions.append(action)
            } else if let error = perform(action) {
                withhold(Array(actions[index...]), error)
                return
            }
        }
    }

    private func withhold(_ actions: [CoordinatorAction], _ error: CheckpointError) {
        report(.ledgerFailed(error))
        withheld = Withheld(actions: actions.filter { !$0.mayOvertake }, error: error)
        // The line, the others behind it, what need not wait, and the machine, in this order.
        carryOut(actions.filter(\.mayOvertake) + coordinator.receive(.ledgerFails, at: Clock.now))
    }

    /// Tries again, once it is time to.
    func retryWithheld() {
        guard let waiting = withheld, waiting.retryAt <= .now else { return }
        withheld = nil
        for (index, action) in waiting.actions.enumerated() where outcome == nil {
            guard let error = perform(action) else { continue }
            withheld = Withheld(
                actions: Array(waiting.actions[index...]), error: error, since: waiting.since)
            return
        }
        report(.ledgerRecovered(seconds: Clock.seconds(since: waiting.since)))
        handle(.ledgerWorks)
    }

    /// Ends without the line, since somebody does not want to wait for it any longer.
    func stopWaitingForLedger() -> Bool {
        guard let waiting = withheld else { return false }
        withheld = nil
        failure = failure ?? RunStore.Failure.file(waiting.error)
        handle(.recordFailed(step: coordinator.lastCommitted))
        return true
    }
}
