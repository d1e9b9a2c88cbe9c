import Foundation
import Messaging
import Parameters
import Resources
import Ring
import Synchronization
import Threads
import Wire

/// The thread that owns a worker's ring sockets and folds gradients while lanes compute them.
///
/// All calls return at once and may come from any thread; what happens is reported to `notify`.
/// Call `form`, wait for `.formed`, then for each step `begin`, `finished` from the lanes, and
/// wait for `.folded`. After `.broken` only another `form` helps.
package final class RingThread: GradientSink {
    enum Command: Sendable {
        case form(RingMembership)
        case begin(RingStep)
        case abandon
        case stop
    }

    /// The state that the thread and its callers share.
    final class Mailbox: Sendable {
        let commands = Mutex<[Command]>([])
        let pending = Atomic<Bool>(false)
        let step = Mutex<RingStep?>(nil)
        /// To share with the successor: none, or why there is none.
        let memory = Mutex<Result<SharedMemory?, MessagingError>>(.success(nil))
        let vectors = SharedVectors()
        let relay = Mutex<RelayAccess?>(nil)
        let progress = Mutex<RingProgress>(.init())
        let wakeup: Wakeup

        init() throws(MessagingError) { wakeup = try Wakeup() }

        /// Returns the place at which others find a vector; nil if they can't.
        func handle(of vector: ParameterVector) -> MemoryPlace? {
            if let handle = vectors.handle(of: vector) { return handle }
            return memory.withLock { memory in
                guard case .success(let memory?) = memory,
                    memory.address == UnsafeMutableRawPointer(vector.unsafeAddress)
                else { return nil }
                return memory.handle
            }
        }

        func post(_ command: Command) {
            commands.withLock { $0.append(command) }
            pending.store(true, ordering: .releasing)
            wakeup.signal()
        }
    }

    /// The addresses at which predecessors find this worker; the same over all generations.
    package let endpoints: PeerAddress
    private let mailbox: Mailbox
    private let configuration: RingConfiguration
    /// Elements of a chunk in the generation at hand.
    private let chunkElements: Atomic<Int>
    private let sumsInPlace = Atomic<Bool>(false)
    private let stopped = Mutex(false)
    private let ended: DispatchSemaphore

    /// Binds and starts the thread.
    ///
    /// - Parameter notify: called on the ring thread; it must not block.
    /// - Throws: what binding throws; no thread is left behind then.
    package init(
        context: Context, configuration: RingConfiguration,
        notify: @escaping @Sendable (RingEvent) -> Void
    ) throws(MessagingError) {
        precondition(configuration.chunkBytes >= 4, "chunks of \(configuration.chunkBytes) bytes")
        precondition(configuration.credits > 0, "\(configuration.credits) credits")
        let mailbox = try Mailbox()
        let started = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        let outcome = Outcome()
        let loan = ContextLoan(context)
        do throws(ResourceError) {
            try requireDescriptors(Self.spareDescriptors)
            try startThread("ring") {
                defer { ended.signal() }
                do throws(MessagingError) {
                    let loop = try RingLoop(
                        context: loan.take(), configuration: configuration, mailbox: mailbox,
                        notify: notify)
                    outcome.result.withLock { $0 = .success(loop.endpoints) }
                    started.signal()
                    loop.run()
                } catch {
                    outcome.result.withLock { $0 = .failure(error) }
                    started.signal()
                }
            }
        } catch {
            throw .refused(error)
        }
        started.wait()
        endpoints = try outcome.result.withLock { $0! }.get()
        self.mailbox = mailbox
        self.configuration = configuration
        chunkElements = Atomic(configuration.chunkBytes / 4)
        self.ended = ended
    }

    deinit { stop() }

    /// For links with both neighbours in every way, and what else a worker opens: where they are
    /// short, links would break again and again.
    private static let spareDescriptors = 32

    private final class Outcome: Sendable {
        let result = Mutex<Result<PeerAddress, MessagingError>?>(nil)
    }

    /// Memory in which the totals of all steps will begin: neighbours of this host map it.
    ///
    /// It counts from the next `form` on. Where sums are not made in place, steps whose total lies
    /// elsewhere travel in frames.
    package func share(_ memory: SharedMemory?) {
        mailbox.memory.withLock { $0 = .success(memory) }
    }

    /// There is no such memory: reported where a neighbour would have mapped it.
    package func share(failure: MessagingError) {
        mailbox.memory.withLock { $0 = .failure(failure) }
    }

    /// A vector of zeros for a gradient or total that the generation at hand can fold: where sums
    /// are made in place, the other workers can read it.
    package func vector(count: Int) -> ParameterVector {
        sumsInPlace.load(ordering: .relaxed)
            ? mailbox.vectors.vector(count: count) : ParameterVector(count: count)
    }

    /// Whether the generation at hand can fold a vector.
    package func canFold(_ vector: ParameterVector) -> Bool {
        !sumsInPlace.load(ordering: .relaxed) || mailbox.handle(of: vector) != nil
    }

    /// Sets the way to the coordinator for frames that must go through it, from the next `form` on.
    package func relay(through access: RelayAccess?) { mailbox.relay.withLock { $0 = access } }

    /// Drops any fold in progress and joins the neighbours of a new generation.
    package func form(_ membership: RingMembership) {
        chunkElements.store(configuration.chunkElements(membership), ordering: .relaxed)
        sumsInPlace.store(membership.sumsInPlace, ordering: .relaxed)
        // Its gradients may be let go of before the next step's are taken.
        mailbox.step.withLock { $0 = nil }
        mailbox.post(.form(membership))
    }

    /// Begins a step's fold; call it before the lanes start.
    ///
    /// - Parameters:
    ///   - gradients: one a shard of this worker, in shard order. The ring reads what lanes have
    ///     `finished`; nobody may write it before `.folded`.
    ///   - total: the ring's until `.folded` or another `form`. Where sums are made in place others
    ///     may still read it until all have begun another step.
    package func begin(step: UInt64, gradients: [ParameterVector], total: ParameterVector) {
        let step = RingStep(
            step: step, gradients: gradients, total: total,
            chunkElements: chunkElements.load(ordering: .relaxed))
        mailbox.step.withLock { $0 = step }
        mailbox.post(.begin(step))
    }

    /// A shard's gradient is final from `element` on; `index` counts this worker's own shards.
    package func finished(shard index: Int, downTo element: Int) {
        guard let step = mailbox.step.withLock({ $0 }) else { return }
        if step.finished(shard: index, downTo: element) { mailbox.wakeup.signal() }
    }

    /// Drops the fold in progress; the links stay.
    package func abandon() {
        mailbox.step.withLock { $0 = nil }
        mailbox.post(.abandon)
    }

    /// Ends the thread and closes its sockets; returns when that is done.
    package func stop() {
        let first = stopped.withLock { stopped in
            defer { stopped = true }
            return !stopped
        }
        guard first else { return }
        mailbox.post(.stop)
        ended.wait()
    }

    /// The thread's state as it last published it: before each wait, and when a fold or a
    /// generation ends.
    package var progress: RingProgress { mailbox.progress.withLock { $0 } }
}
