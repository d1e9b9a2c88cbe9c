import Coordination
import Wire

/// A control connection: ordered either way, until it breaks and loses what is under way.
final class Connection {
    private struct Parcel {
        var arrival: Int64
        var bytes: [UInt8]
    }

    /// One direction: what is under way, in order.
    private struct Way {
        var parcels: [Parcel] = []
        var isCut = false
    }

    let peer: PeerID
    let worker: SimulatedWorker
    let workerLife: Int
    private unowned let world: World
    private var up = Way()
    private var down = Way()
    private var coordinatorLife: Int?
    private(set) var isClosed = false

    init(_ world: World, _ worker: SimulatedWorker) {
        self.world = world
        self.worker = worker
        workerLife = worker.life
        peer = PeerID(world.random.next())
        connect()
    }

    /// Tries until the coordinator's host answers.
    private func connect() {
        let delay = world.delay()
        world.agenda.add(at: world.now + delay) { [self] in
            guard !isClosed else { return }
            guard world.coordinator.isAlive, !world.isCut(worker.slot) else {
                world.agenda.add(at: world.now + 50_000) { [self] in if !isClosed { connect() } }
                return
            }
            coordinatorLife = world.coordinator.life
            world.coordinator.connections[peer] = self
            for index in up.parcels.indices { up.parcels[index].arrival = world.now }
            pumpAll()
        }
    }

    func sendUp(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        let arrival = max(world.now + world.delay(), up.parcels.last?.arrival ?? 0)
        up.parcels.append(Parcel(arrival: arrival, bytes: bytes))
        world.agenda.add(at: arrival) { [self] in pumpUp() }
    }

    func sendDown(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        let arrival = max(world.now + world.delay(), down.parcels.last?.arrival ?? 0)
        down.parcels.append(Parcel(arrival: arrival, bytes: bytes))
        world.agenda.add(at: arrival) { [self] in pumpDown() }
    }

    /// Sends on what was held up by a cut.
    func pumpAll() {
        pumpUp()
        pumpDown()
    }

    private func pumpUp() {
        guard let coordinatorLife, !isClosed, !world.isCut(worker.slot, .up) else { return }
        while let first = up.parcels.first, first.arrival <= world.now {
            up.parcels.removeFirst()
            guard world.coordinator.life == coordinatorLife else { return }
            world.coordinator.later(0) { [self] in
                world.coordinator.take(first.bytes, from: peer)
            }
        }
    }

    private func pumpDown() {
        guard !isClosed, !world.isCut(worker.slot, .down) else { return }
        while let first = down.parcels.first, first.arrival <= world.now {
            down.parcels.removeFirst()
            guard worker.life == workerLife else { return }
            worker.later(0) { [self] in worker.take(first.bytes, over: self) }
        }
    }

    /// Breaks: both ends learn of it, if they can be reached.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        up.parcels = []
        down.parcels = []
        tellCoordinator()
        guard worker.isAlive, worker.life == workerLife else { return }
        worker.later(Int(world.delay())) { [self] in worker.connectionBroke(self) }
    }

    private func tellCoordinator() {
        guard let coordinatorLife, world.coordinator.life == coordinatorLife,
            world.coordinator.isAlive
        else { return }
        // The end of a connection to a host that is cut off shows when it can be reached again.
        guard !world.isCut(worker.slot) else {
            world.agenda.add(at: world.now + 100_000) { [self] in tellCoordinator() }
            return
        }
        world.coordinator.later(Int(world.delay())) { [self] in
            world.coordinator.connectionBroke(peer)
        }
    }
}
