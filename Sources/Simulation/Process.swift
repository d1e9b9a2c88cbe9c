/// A process that can be stopped, continued and killed; what happens to it while it is stopped
/// waits.
class Process {
    unowned let world: World
    let name: String
    /// Counts incarnations: what was under way for an earlier one is void.
    private(set) var life = 0
    private(set) var isAlive = false
    private(set) var isStopped = false
    private var held: [() -> Void] = []

    init(_ world: World, name: String) {
        self.world = world
        self.name = name
    }

    /// Whether it is alive and takes part.
    var isRunning: Bool { isAlive && !isStopped }

    func begin() {
        life += 1
        isAlive = true
        isStopped = false
        held = []
    }

    func kill() {
        isAlive = false
        held = []
    }

    func stop() { isStopped = true }

    func proceed() {
        guard isStopped else { return }
        isStopped = false
        let waiting = held
        held = []
        for action in waiting { deliver(life, action) }
    }

    /// Does something in this process some microseconds from now, if it is still the same one.
    func later(_ delay: Int, _ action: @escaping () -> Void) {
        let life = life
        world.agenda.add(at: world.now + Int64(delay)) { [unowned self] in
            deliver(life, action)
        }
    }

    private func deliver(_ life: Int, _ action: @escaping () -> Void) {
        guard isAlive, life == self.life else { return }
        if isStopped { held.append(action) } else { action() }
    }
}
