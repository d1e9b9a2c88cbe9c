import Coordination

/// One fault in a run of several workers, and whom the coordinator names for it.
package struct Blame: Sendable {
    /// The faults that one worker, or one link, may have.
    package enum Kind: Hashable, Sendable, CaseIterable {
        /// Its process dies.
        case killed
        /// Its process stands still.
        case stopped
        /// Its arithmetic hangs while its heartbeats go on.
        case hung
        /// Its messages to the coordinator, those from it, or both, are lost.
        case mute, deaf, cutOff
        case disconnected
        /// Its frames to its successor in the ring are lost.
        case ringCut
        /// A bit of its parameters changes.
        case bitFlipped
    }

    /// The fault that befell it.
    package let kind: Kind
    /// The seed of the run.
    package let seed: UInt64
    /// The workers that may be named: the victim; for a link, either of its ends.
    package let guilty: [String]
    /// The workers that the coordinator has named since the fault, in order.
    package let named: [String]
    /// The first thing that must not have happened; nil if nothing did.
    package let violation: String?

    /// Whether at least one worker was named, and none that is not at fault.
    package var isRight: Bool {
        violation == nil && !named.isEmpty && named.allSatisfy(guilty.contains)
    }

    /// The same seed gives the same run.
    package static func run(_ kind: Kind, seed: UInt64) -> Blame {
        let world = World(Plan(undisturbed: seed), tracing: false)
        let time = Int64(world.random.number(600_000...2_000_000))
        let slot = world.random.number(0...world.plan.slots - 1)
        var slots = [slot]
        world.agenda.add(at: time) { [unowned world] in
            if kind == .ringCut { slots += world.workers[slot].ring?.successor.map { [$0] } ?? [] }
            world.happen(kind.fault(slots))
        }
        world.run()
        return Blame(
            kind: kind, seed: seed, guilty: slots.flatMap { world.names(of: $0) },
            named: world.named(since: time), violation: world.audit.violation)
    }
}

extension Blame.Kind {
    /// `slots`: the victim, and its successor where that matters.
    fileprivate func fault(_ slots: [Int]) -> Fault {
        let (slot, time) = (slots[0], 3_000_000)
        return switch self {
        case .killed: .killWorker(slot: slot)
        case .stopped: .stopWorker(slot: slot, time: time)
        case .hung: .hangWorker(slot: slot, time: 2 * time)
        case .mute: .cutControl(slot: slot, .up, time: time)
        case .deaf: .cutControl(slot: slot, .down, time: time)
        case .cutOff: .cutControl(slot: slot, .both, time: time)
        case .disconnected: .dropConnection(slot: slot)
        case .ringCut: .cutRing(from: slot, to: slots.last!, time: 5 * time)
        case .bitFlipped: .flipBit(slot: slot, bit: 3)
        }
    }
}

extension World {
    /// Returns the names that the coordinator gave the worker in a slot: it may come back under
    /// another.
    fileprivate func names(of slot: Int) -> [String] {
        notes.compactMap { entry in
            guard case .joined(let name, _, let processID, _, _) = entry.note,
                processID == 100 + slot
            else { return nil }
            return name
        }
    }

    fileprivate func named(since time: Int64) -> [String] {
        notes.filter { $0.time >= time }.flatMap { entry in
            switch entry.note {
            case .lost(let name, _, _, _, _): [name]
            case .stateDiffers(_, let names), .totalsDiffer(_, let names): names
            default: [String]()
            }
        }
    }
}
