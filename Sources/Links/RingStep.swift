import Parameters
import Synchronization

/// One step's gradients on their way into the ring: lanes say how far they are, the ring looks.
final class RingStep: Sendable {
    /// Elements from here on are final, for one shard.
    private final class Watermark: Sendable {
        let element: Atomic<Int>
        init(_ element: Int) { self.element = Atomic(element) }
    }

    let step: UInt64
    let gradients: [ParameterVector]
    let total: ParameterVector
    private let chunkElements: Int
    private let watermarks: [Watermark]
    /// Whole chunks below the watermark when the ring was last woken.
    private let announced: Atomic<Int>
    private let completion = Mutex<ContinuousClock.Instant?>(nil)

    init(step: UInt64, gradients: [ParameterVector], total: ParameterVector, chunkElements: Int) {
        precondition(!gradients.isEmpty, "no shard in step \(step)")
        self.step = step
        self.gradients = gradients
        self.total = total
        self.chunkElements = chunkElements
        watermarks = gradients.map { _ in Watermark(total.count) }
        announced = Atomic(.max)
    }

    /// The elements of a shard's gradient from `element` on are final.
    ///
    /// - Returns: whether the ring can do something new about it.
    func finished(shard: Int, downTo element: Int) -> Bool {
        precondition(element >= 0 && element <= total.count, "\(element) of \(total.count)")
        // Sequentially consistent: of two lanes that finish at once, one must see the other.
        watermarks[shard].element.store(element, ordering: .sequentiallyConsistent)
        let ready = ready
        if ready == 0 {
            completion.withLock { if $0 == nil { $0 = .now } }
        }
        let chunk = (ready + chunkElements - 1) / chunkElements
        return announced.min(chunk, ordering: .sequentiallyConsistent).oldValue > chunk
    }

    /// Elements from here on are final in all own gradients.
    var ready: Int {
        // By index: an iterator asks for memory in builds that are not optimised.
        var ready = 0
        for index in watermarks.indices {
            ready = max(ready, watermarks[index].element.load(ordering: .sequentiallyConsistent))
        }
        return ready
    }

    /// The moment when own gradients were complete; nil until then.
    var completedAt: ContinuousClock.Instant? { completion.withLock { $0 } }
}
