import Foundation
import Messaging
import Parameters
import Ring
import Synchronization
import Wire

struct RingConfiguration {}
struct RingEndpoints: Sendable {
    var host: HostIdentity
    var ipc: String?
    var tcp: String
}
enum RingTransport: Sendable { case auto, ipc, tcp }
struct RingMembership: Sendable {
    var run: UInt64
    var generation: Generation
    var rank: Int
    var shardBounds: [Int]
    var successor: RingEndpoints?
    var transport: RingTransport
    var collective: Collective
}
struct RingTimings: Sendable {
    var waitSeconds = 0.0
    var foldSeconds = 0.0
}
enum RingEvent: Sendable {
    case formed(Generation)
    case folded(step: UInt64, digest: FastDigest, timings: RingTimings)
    case broken(Generation, String)
}
struct RingProgress {
    var count: UInt64 = 0
    var waitingFor = ""
}
final class RingThread: GradientSink, @unchecked Sendable {
    let notify: @Sendable (RingEvent) -> Void
    let endpoints = RingEndpoints(host: HostIdentity.current(), ipc: nil, tcp: "")
    var step: UInt64 = 0
    var gradients: [ParameterVector] = []
    var total: ParameterVector?
    var done: Set<Int> = []
    let lock = NSLock()
    init(
        context: Context, configuration: RingConfiguration,
        notify: @escaping @Sendable (RingEvent) -> Void
    ) throws(MessagingError) { self.notify = notify }
    func form(_ m: RingMembership) { notify(.formed(m.generation)) }
    func begin(step: UInt64, gradients: [ParameterVector], total: ParameterVector) {
        lock.withLock {
            self.step = step
            self.gradients = gradients
            self.total = total
            done = []
        }
    }
    func finished(shard index: Int, downTo offset: Int) {
        guard offset == 0 else { return }
        lock.withLock {
            done.insert(index)
            guard done.count == gradients.count else { return }
            total!.copy(from: gradients[0])
            for g in gradients.dropFirst() {
                g.withFloats { s in
                    total!.withMutableFloats { t in for i in 0..<t.count { t[i] += s[i] } }
                }
            }
            notify(.folded(step: step, digest: FastDigest(total!), timings: RingTimings()))
        }
    }
    func abandon() {}
    func stop() {}
    var progress: RingProgress { RingProgress() }
}
extension HostIdentity {
    init(hostKey: String, name: String) { self.init(boot: hostKey, network: 0, name: name) }
}

extension RingTransport {
    init(_ t: RunConfiguration.Transport) {
        switch t {
        case .auto: self = .auto
        case .ipc: self = .ipc
        case .tcp: self = .tcp
        }
    }
}
