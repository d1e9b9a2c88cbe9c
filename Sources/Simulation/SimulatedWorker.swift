import Coordination
import Parameters
import Wire

/// A worker process that obeys the real `WorkerSession` with a toy model and real folds.
final class SimulatedWorker: Process {
    let slot: Int
    /// Two workers share one, or all do.
    var host: Int { world.plan.host(of: slot) }
    let instance: UInt64
    /// Microseconds that a shard takes.
    let shardTime: Int
    private(set) var session: WorkerSession
    private(set) var connection: Connection?
    private(set) var state: ToyState?
    /// Its memory has changed by itself since it was written.
    private(set) var isFlipped = false
    private var bitToFlip: Int?
    /// Grows whenever another state takes the place of the one in memory.
    private var writings = 0
    private var assembly = ToyAssembly()
    private var stream: ToyStream?
    private var streamedStep = 0
    private var lesson: ToyLesson?
    /// The last total that was followed, for those who learn the state.
    private var lastTotal: (step: Int, values: [Float])?
    private var progress: UInt64 = 0
    private var lastGave: Int64 = -1_000_000
    private var hangsUntil: Int64 = 0
    /// Gradients and total of this life, as neighbours may map them.
    private(set) var memory: ToyMemory
    var fold: FoldAtHand?
    var ring: SimulatedRing?
    /// Greetings for a ring that this worker has not formed yet.
    var early: [RingParcel] = []
    /// The shards whose gradients of a step are in memory; they are kept when the ring changes.
    var gradients: Set<Int> = []
    /// The shard that is being computed is final from here on.
    var watermarks: [Int: Int] = [:]
    /// The ring's thread goes on a little later.
    var isPumping = false
    var gradientsStep = 0

    init(_ world: World, slot: Int) {
        self.slot = slot
        instance = world.random.next()
        shardTime = world.random.number(2_000...30_000)
        session = WorkerSession(deadlines: world.plan.deadlines)
        memory = ToyMemory(shards: world.plan.shards)
        super.init(world, name: "p\(slot)")
    }

    /// Nanoseconds on its own clock, which shows another time than the others' and goes up to 50 parts
    /// in a million too fast or too slowly.
    var clock: Int64 {
        let ahead = Int64(instance % 1_000_000_000)
        let drift = Int64(slot % 3 - 1) * world.now / 20
        return world.now * 1000 + ahead + drift
    }

    override func begin() {
        super.begin()
        session = WorkerSession(deadlines: world.plan.deadlines)
        state = nil
        assembly = ToyAssembly()
        stream = nil
        lesson = nil
        lastTotal = nil
        fold = nil
        ring = nil
        early = []
        memory = ToyMemory(shards: world.plan.shards)
        gradients = []
        watermarks = [:]
        isPumping = false
        hangsUntil = 0
        reconnect()
        later(0) { [self] in tick() }
    }

    override func kill() {
        if isAlive, stream != nil || isGiving { world.meets(.donorDies) }
        if isAlive, lesson != nil { world.meets(.pupilDies) }
        if isAlive, hasVoted { world.meets(.voterDies) }
        super.kill()
        connection?.close()
        world.breakRings(with: slot, because: "the process is gone")
    }

    private func tick() {
        handle(.tick(WorkProgress(count: progress)))
        later(Int(session.tickInterval.count) * 1000) { [self] in tick() }
    }

    /// One bit of its parameters changes once it computes the next time.
    ///
    /// In the moment between the digest for the vote and the update, others notice by what it
    /// writes; a lone worker cannot.
    func flipLater(_ bit: Int) { bitToFlip = bit }

    private func flip(_ bit: Int) {
        bitToFlip = nil
        guard let old = state?.sections[0][bit / 32 % ToyModel.count] else { return }
        let bits = old.bitPattern ^ 1 << UInt32(bit % 32)
        state?.sections[0][bit / 32 % ToyModel.count] = Float(bitPattern: bits)
        isFlipped = true
    }

    private func write(_ new: ToyState?) {
        state = new
        isFlipped = false
        writings += 1
    }

    /// Everything that it is asked to compute from now on waits until then.
    func hangs(until moment: Int64) { hangsUntil = moment }

    /// Computes for some microseconds.
    private func work(_ time: Int, _ action: @escaping () -> Void) {
        later(time) { [self] in
            if world.now < hangsUntil { work(50_000, action) } else { action() }
        }
    }

    // MARK: control

    func take(_ bytes: [UInt8], over connection: Connection) {
        guard connection === self.connection else { return }
        do throws(WireError) {
            let message = try CoordinatorMessage(decoding: bytes)
            world.trace { "\(self.name) ← \(message.brief)" }
            handle(.received(message))
        } catch {
            world.fail("\(name) was sent what cannot be read: \(error)")
        }
    }

    func connectionBroke(_ broken: Connection) {
        guard broken === connection else { return }
        world.trace { "\(self.name) lost its connection" }
        handle(.disconnected)
    }

    func handle(_ event: WorkerEvent) {
        guard isAlive else { return }
        let moment = Instant(nanoseconds: clock)
        for action in session.receive(event, at: moment) where isAlive { perform(action) }
    }

    private func perform(_ action: WorkerAction) {
        switch action {
        case .send(let message): connection?.sendUp(message.encoded)
        case .reconnect: reconnect()
        case .obey(let order, _): obey(order)
        case .abandonStep: abandonFold()
        case .update(let step, let skipped): update(step: step, skipped: skipped)
        case .abandonCapture: stream = nil
        case .note(let note): world.trace { "\(self.name) notes \(note)" }
        case .leave(let outcome):
            world.trace { "\(self.name) leaves: \(outcome)" }
            world.left(self, outcome)
        }
    }

    private func obey(_ order: CoordinatorMessage) {
        switch order {
        case .welcome: work(world.random.number(1_000...80_000)) { [self] in handle(.built) }
        case .initialise: initialise()
        case .slice(let slice): store(slice)
        case .givePiece(let request): give(request)
        case .piece(let piece): learn(piece.offset) { $0.take(piece) }
        case .passStep(let step): learn(nil) { $0.pass(step) }
        case .roster(let roster): formRing(roster)
        case .step(let order): compute(order)
        case .snapshot(let step): capture(step: step)
        case .sliceTaken(let step, _): if streamedStep == step { sendSlice() }
        case .evaluate(let order): evaluate(order)
        case .token: break
        case .refused, .newState, .proven, .abandonSnapshot, .commit, .heartbeat, .sayHello,
            .finish:
            world.fail("\(name) was to obey what is the session's: \(order.brief)")
        }
    }

    private func reconnect() {
        connection?.close()
        connection = Connection(world, self)
        let obeyed = session.obeyed
        let hello = Hello(
            software: "toy",
            address: PeerAddress(
                hostKey: "host \(host)", hostName: "h\(host)", ipc: "", tcp: "\(slot)",
                board: world.plan.has(.sumsInPlace) ? board : nil),
            processID: 100 + slot, instance: instance &+ UInt64(life), threads: 1, kernel: "toy",
            probe: FastDigest(high: 0, low: 0), run: obeyed.run, epoch: obeyed.epoch)
        connection?.sendUp(WorkerMessage.hello(hello).encoded)
    }

    /// By which others find the vectors of this life.
    private var board: MemoryPlace {
        MemoryPlace(
            process: Int32(slot), descriptor: 0, device: 0, inode: UInt64(life), byteCount: 1)
    }

    /// Whether others count on it for a piece: there is somebody who learns.
    private var isGiving: Bool { world.now - lastGave < 5_000 }

    /// Whether it has voted on a step whose fate it does not know.
    private var hasVoted: Bool { fold?.ended ?? 0 > 0 && fold?.isAbandoned == false }

    // MARK: the state

    private func initialise() {
        forgetGradients()
        work(world.random.number(1_000...50_000)) { [self] in
            let initial = world.model.initial()
            write(initial)
            lesson = nil
            handle(.initialised(initial.digest))
        }
    }

    private func store(_ slice: StateSlice) {
        forgetGradients()
        write(nil)
        lesson = nil
        guard let position = assembly.store(slice) else { return }
        progress += 1
        connection?.sendUp(WorkerMessage.sliceTaken(step: slice.step, position: position).encoded)
        guard assembly.isComplete else { return }
        write(assembly.state)
        handle(.stateStored(HeldState(step: slice.step, digest: assembly.state.digest)))
    }

    private func give(_ request: PieceRequest) {
        lastGave = world.now
        guard let state else {
            return world.fail("\(name) was to give a piece of a state, which it lacks")
        }
        let range = request.offset..<request.offset + request.count
        var piece = StatePiece(
            step: state.step, adamCount: state.step, offset: request.offset, content: .nothing)
        switch request.subject {
        case .state:
            piece.content = .state(
                ToyModel.bytes(of: state.sections.flatMap { $0[range] }))
        case .total(let step):
            if let lastTotal, lastTotal.step == step {
                piece.step = step
                piece.content = .total(
                    ToyModel.bytes(of: lastTotal.values[range]), squaredNorm: 1,
                    learningRate: 0.01)
            }
        }
        connection?.sendUp(WorkerMessage.piece(piece).encoded)
    }

    private func learn(_ offset: Int?, _ change: (inout ToyLesson) -> Void) {
        forgetGradients()
        var lesson = self.lesson ?? ToyLesson(from: state)
        write(nil)
        change(&lesson)
        self.lesson = lesson
        progress += 1
        if let offset {
            connection?.sendUp(WorkerMessage.pieceTaken(offset: offset).encoded)
        }
        guard let whole = lesson.whole else { return }
        write(whole)
        self.lesson = nil
        handle(.stateStored(HeldState(step: whole.step, digest: whole.digest)))
    }

    private func capture(step: Int) {
        guard let state, state.step == step else {
            return world.fail("\(name) was to give the state of step \(step), which it lacks")
        }
        connection?.sendUp(
            WorkerMessage.captured(HeldState(step: step, digest: state.digest)).encoded)
        stream = ToyStream(state)
        streamedStep = step
        for _ in 0..<StateSlice.window { sendSlice() }
    }

    private func sendSlice() {
        guard let slice = stream?.take() else {
            stream = nil
            return
        }
        connection?.sendUp(WorkerMessage.slice(slice).encoded)
    }

    private func update(step: Int, skipped: Bool) {
        guard let state, let fold, fold.order.step == step, fold.total != nil else {
            return world.fail("\(name) was to update by step \(step), which it has not folded")
        }
        let total = memory.total.floats()
        if !isFlipped { world.audit.updates(self, step: step, from: state, by: total) }
        gradients = []
        watermarks = [:]
        self.fold = nil
        let (begun, start) = (clock, world.instant.seconds)
        work(world.random.number(500...20_000)) { [self] in
            let updated = ToyModel.update(state, total)
            let wasFlipped = isFlipped
            write(updated)
            isFlipped = wasFlipped
            lastTotal = (step, total)
            let held = HeldState(step: step, digest: updated.digest)
            world.audit.was(
                .update, session.name, step: step, from: start, to: world.instant.seconds)
            handle(
                .reports(.updated(Update(held, span: WorkerSpan(begin: begun, end: clock)))))
        }
    }

    // MARK: gradients and losses

    private func compute(_ order: StepOrder) {
        guard let state, let ring else {
            return world.fail("\(name) was to compute step \(order.step) without a ring")
        }
        if gradientsStep != order.step { gradients = [] }
        watermarks = [:]
        gradientsStep = order.step
        let own = Set(order.shards.map(\.shard))
        gradients.formIntersection(own)
        fold = FoldAtHand(
            order: order, generation: ring.generation, begun: clock, start: world.instant.seconds)
        computeNext(order, state, writings)
        beginFold()
    }

    /// Forgets the gradients of a state that is being replaced.
    private func forgetGradients() {
        guard !world.plan.keepsOldGradients else { return }
        gradients = []
        // Nor is what is being computed of any use.
        writings += 1
    }

    private func computeNext(_ order: StepOrder, _ state: ToyState, _ writing: Int) {
        guard let shard = order.shards.map(\.shard).first(where: { !gradients.contains($0) }) else {
            if let fold {
                self.fold?.compute = WorkerSpan(begin: fold.begun, end: clock)
                world.audit.was(
                    .compute, session.name, step: order.step, from: fold.start,
                    to: world.instant.seconds)
            }
            handle(.computed(step: order.step))
            return
        }
        let time = shardTime + world.random.number(0...shardTime)
        let part = world.random.number(1...ToyModel.count)
        // The backward pass finishes the end of the vector first.
        work(time / 2) { [self] in
            guard fold?.order == order, writings == writing else { return }
            if let bitToFlip { flip(bitToFlip) }
            let gradient = world.model.gradient(
                of: shard, step: order.step, self.state ?? state)
            memory.gradients[shard].store(Array(gradient[part...]), at: part)
            watermarks[shard] = part
            pump()
            work(time - time / 2) { [self] in
                guard fold?.order == order, writings == writing else { return }
                progress += 1
                memory.gradients[shard].store(Array(gradient[..<part]), at: 0)
                gradients.insert(shard)
                pump()
                computeNext(order, self.state ?? state, writing)
            }
        }
    }

    private func evaluate(_ order: EvaluationOrder) {
        let reports = order.shards.map {
            ShardReport(shard: $0.shard, smoothed: 1, negativeLogLikelihood: 1, labels: 1)
        }
        work(shardTime) { [self] in
            progress += 1
            let evaluation = Evaluation(
                step: order.step, batch: order.batch, reports: reports)
            handle(.reports(.evaluated(evaluation)))
        }
    }
}
